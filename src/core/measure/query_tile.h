// Queries that meet the same rows: some rows at a time are compared with all of them.
#pragma once

#include <span>
#include <vector>

#include "core/measure/query_kernel.h"
#include "core/measure/row_key.h"

namespace lookalike {

class QueryTile {
  public:
    /// Rows have row_floats each; of a binary metric so many bits.
    QueryTile(Metric metric, uint32_t row_floats);

    void add(const Elements& query);
    void clear();

    size_t size() const { return size_; }

    /// The rows that are compared at a time, at most.
    static constexpr size_t kMostRows = kRowsWithQueries;

    /// Of the keys of a row, so that whole vectors can be read: size() or a little more.
    size_t place_count() const;

    /// row_key() of each row and each query: place_count() places for each of kMostRows rows, of
    /// which those for `rows` get their keys. REQUIRES: a row, kMostRows at most.
    void keys(std::span<const Elements> rows, float* keys) const;

    /// The query that was added `place`-th, packed if it is of bits.
    std::vector<float> floats_of(size_t place) const;
    const uint8_t* bits_of(size_t place) const { return bits_.data() + place * row_bytes_; }

  private:
    size_t first_element(size_t place) const;  // of blocks_

    Metric metric_;
    uint32_t row_floats_;
    size_t row_bytes_;
    size_t size_ = 0;
    std::vector<float> blocks_;  // as query_kernel.h has them
    std::vector<uint8_t> bits_;
};

}  // namespace lookalike

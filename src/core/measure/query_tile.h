// Queries that meet the same rows: each row is compared with all of them at once.
#pragma once

#include <vector>

#include "core/measure/row_key.h"

namespace lookalike {

class QueryTile {
  public:
    /// Rows have row_floats each; of a binary metric so many bits.
    QueryTile(Metric metric, uint32_t row_floats);

    void add(const Elements& query);
    void clear();

    size_t size() const { return size_; }

    /// Of keys and limits, so that whole vectors can be read: size() or a little more.
    size_t place_count() const;

    /// row_key() of the row and each query; place_count() places are written.
    void keys(const Elements& row, float* keys) const;

    /// The query that was added `place`-th, packed if it is of bits.
    std::vector<float> floats_of(size_t place) const;
    const uint8_t* bits_of(size_t place) const { return bits_.data() + place * row_bytes_; }

  private:
    Metric metric_;
    uint32_t row_floats_;
    size_t row_bytes_;
    size_t size_ = 0;
    std::vector<float> blocks_;  // as query_kernel.h has them
    std::vector<uint8_t> bits_;
};

}  // namespace lookalike

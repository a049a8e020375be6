// Which centroid of bits is nearest to each row of bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/bit_kernel.h"
#include "learn/rows.h"

namespace lookalike {

class BitAssigner {
  public:
    /// Copies the centroids. REQUIRES: at least one; 1 to kMaxBitDims dimensions; fewer than 2^32
    /// centroids.
    explicit BitAssigner(const BitRowsView& centroids);

    size_t list_count() const { return list_count_; }
    size_t dims() const { return dims_; }

    /// Writes for each row the number of the centroid that differs from it in the fewest bits, the
    /// lowest of those numbers, and how many bits these are.
    /// REQUIRES: rows.dims == dims(); list_ids and distances hold rows.row_count items.
    void assign(const BitRowsView& rows, std::span<uint32_t> list_ids,
                std::span<float> distances) const;

  private:
    void assign_few(const BitRowsView& rows, uint32_t* list_ids, float* distances) const;

    BitKernel kernel_;
    size_t list_count_;
    size_t dims_;
    std::vector<uint32_t> blocks_;  // all centroids, as a BitTile has them
};

}  // namespace lookalike

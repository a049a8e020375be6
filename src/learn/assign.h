// Which centroid is nearest to each row: BLAS over whole batches.
#pragma once

#include <faiss/IndexFlat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

class Assigner {
  public:
    /// Copies the centroids, dims floats each, one after the other. Throws InvalidRows.
    /// REQUIRES: dims > 0, at least one centroid.
    Assigner(std::span<const float> centroids, size_t dims);

    size_t list_count() const { return static_cast<size_t>(index_.ntotal); }
    size_t dims() const { return static_cast<size_t>(index_.d); }

    /// Writes for each row the number of the centroid with the smallest L2 distance (in doubt,
    /// within the rounding of BLAS, one of them) and the square of that distance, computed without
    /// cancellation. Equal input and thread count give equal output. Throws InvalidRows.
    /// REQUIRES: rows.dims == dims(); list_ids and distances hold rows.row_count items.
    void assign(const RowsView& rows, std::span<uint32_t> list_ids,
                std::span<float> distances) const;

  private:
    faiss::IndexFlatL2 index_;
};

}  // namespace lookalike

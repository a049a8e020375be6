// The loops of k-means over the elements of rows: one for each instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

constexpr size_t kRowsAtOnce = 4;

/// Writes for each of kRowsAtOnce rows which of `count` centroids, `dims` floats each, one after
/// the other, has the least squared L2 distance, of equal ones the first. Rows may be the same; the
/// answer for one does not depend on the others. REQUIRES: dims, count > 0.
void nearest_centroids(const float* const* rows, const float* centroids, uint32_t count,
                       size_t dims, uint32_t* nearest);

/// Adds each of `dims` elements to its sum.
void add_to_sums(const float* row, size_t dims, double* sums);

}  // namespace lookalike

// Where k-means starts: at distinct rows, as equal centroids would be wasted.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

// Both return list_count of the distinct rows, rows.dims floats each, chosen by the seed.
// REQUIRES: list_count in 1 .. distinct.size().

/// Any of them, each as likely as the others.
std::vector<float> random_centroids(const RowsView& rows, std::vector<uint32_t> distinct,
                                    size_t list_count, int seed);

/// k-means++: one after the other, each row as likely as its squared distance to those before; of
/// few centroids each is the best of some such rows. So groups that lie apart get a centroid each.
/// Chooses among sixteen rows for each centroid, at least 4,096.
std::vector<float> spread_centroids(const RowsView& rows, std::vector<uint32_t> distinct,
                                    size_t list_count, int seed);

}  // namespace lookalike

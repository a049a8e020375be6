// DBSCAN: clusters are where rows lie densely, and what lies between them is in none.
#pragma once

#include <cstdint>
#include <span>

#include "core/cluster/row_form.h"

namespace lookalike {

struct DbscanOptions {
    Metric metric;
    double radius;      ///< not negative; neighbours are rows no farther than that
    uint32_t min_rows;  ///< a core row has so many neighbours, itself among them; at least 1
};

/// What dbscan() takes of each row beside its bytes, keys and clusters among it.
constexpr uint64_t kDbscanRowBytes = 64;

/// Rows of one form, one after the other, that may be put in another order.
struct DenseRows {
    uint8_t* bytes;
    RowForm form;
    size_t count;  ///< fewer than 2^31

    uint8_t* row(size_t index) const { return bytes + index * form.bytes(); }
    DescriptorView view(size_t index) const { return {form.kind, form.dims, row(index)}; }
};

/// Writes for each row, in the order in which they were given, its cluster from 0 on, or -1, and
/// returns how many clusters there are. Core rows that are neighbours are in one cluster. Another
/// row that is a neighbour of a core row is in the cluster of the nearest of these. Which rows are
/// together does not depend on their order, except where two core rows are equally near, and
/// equally far from where the search begins: the one given first counts. Neighbours are exact: by
/// the distances of distance.h.
///
/// Compares all pairs, but those that the distances to one of the rows tell to be too far apart
/// (triangle inequality), and those that cannot change anything any more. Calls `check` after some
/// thousand comparisons; it may throw. Throws std::bad_alloc. REQUIRES: at least one row, each of
/// them with a distance to itself that is not NaN; a metric other than the inner product.
uint32_t find_dense_clusters(const DenseRows& rows, const DbscanOptions& options,
                             std::span<int32_t> clusters, void (*check)());

}  // namespace lookalike

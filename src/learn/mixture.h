// A mixture of normal distributions whose dimensions do not depend on each other: one for each
// cluster, as wide as it is.
#pragma once

#include <span>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

struct Mixture {
    size_t dims = 0;
    std::vector<double> weights;    ///< of the parts, above 0; their sum is about 1
    std::vector<double> means;      ///< parts x dims
    std::vector<double> variances;  ///< parts x dims, above 0

    size_t part_count() const { return weights.size(); }
};

/// What the points nearest to each of the middles say. Equal input gives equal mixtures. Throws
/// InvalidRows. REQUIRES: at least one point and one middle.
Mixture mixture_of_clusters(const RowsView& points, std::span<const float> middles);

/// The map, as core/vector/projection.h has it, from a point and the squares of its numbers to the
/// logarithm of each part's density times its weight, less what is the same for all.
std::vector<float> density_map(const Mixture& mixture);

}  // namespace lookalike

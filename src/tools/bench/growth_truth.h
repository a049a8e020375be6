// Exact nearest neighbours while a table grows, and recall measured against them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

constexpr uint32_t kGrowthNeighbours = 10;

/// L2 distances; of a cosine set between rows of length 1.
class GrowthTruth {
  public:
    /// Brute force on every core, in one pass over the rows for all sizes: the table's first n rows
    /// are those that `order` names first. Read from `cache` when that was written for the same.
    /// REQUIRES: `sizes` ascend, to order.size() at most; the set's rows are normalised if it is a
    /// cosine set, and the set outlives this object.
    GrowthTruth(const Dataset& set, const std::vector<uint32_t>& order, std::vector<uint32_t> sizes,
                const std::filesystem::path& cache);

    /// The part that was found of the nearest 10 of the first `size` rows, or of all where these
    /// are fewer. Any row at the last one's distance counts, once. `ids` are positions in the set's
    /// base rows. REQUIRES: `size` is one of the sizes.
    double recall(uint32_t size, uint32_t query, std::vector<uint32_t> ids) const;

  private:
    void compute(const std::vector<uint32_t>& order, uint32_t first_query, uint32_t last_query);
    double& last_distance(size_t size_index, uint32_t query) {
        return last_distances_[size_index * set_.queries.count() + query];
    }

    const Dataset& set_;
    std::vector<uint32_t> sizes_;
    std::vector<double> last_distances_;  ///< of each size and query
};

}  // namespace lookalike

// Exact nearest neighbours by brute force, and recall measured against them.
#pragma once

#include <filesystem>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

constexpr uint32_t kTruthDepth = 100;

/// L2 distances, in double; of a cosine set between rows of length 1.
class GroundTruth {
  public:
    /// Computed on every core; read from `cache` when that was written for equally many rows.
    /// REQUIRES: the set's rows are normalised if it is a cosine set, and outlive this object.
    GroundTruth(const Dataset& set, const std::filesystem::path& cache);

    /// The distance of the `k`-th neighbour, counted from 1. REQUIRES: k <= kTruthDepth.
    double distance(uint32_t query, uint32_t k) const {
        return distances_[size_t{query} * kTruthDepth + k - 1];
    }

    /// The part of `k` that was found: different rows no farther than the k-th neighbour, so that
    /// any of several rows at that distance counts. `ids` are base rows.
    double recall(uint32_t query, std::vector<uint32_t> ids, uint32_t k) const;

  private:
    void compute_all();
    void compute(uint32_t begin, uint32_t end);

    const Dataset& set_;
    std::vector<double> distances_;  ///< kTruthDepth a query, ascending
};

}  // namespace lookalike

// Synthetic attributes for measuring filtered searches: random ones, and ones that go with the
// descriptor. docs/BENCHMARK.md says what queries ask of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

using AttributeValues = std::vector<uint16_t>;  ///< one a row, or one a query

/// How many values an attribute has; each is a multiple of the one before.
constexpr std::array<uint32_t, 5> kValueCounts = {2, 10, 100, 1000, 10000};

/// Values below `value_count`, drawn evenly; equal arguments give equal values on every machine.
AttributeValues random_values(uint32_t count, uint32_t value_count, uint64_t seed);

/// Clusters within clusters. Level i has kValueCounts[i] clusters, some of which may be empty.
class ClusterTree {
  public:
    explicit ClusterTree(const Rows& rows);

    /// The cluster of each row.
    AttributeValues clusters(size_t level) const;

    /// The cluster on that level that a row of these values falls into; never an empty one.
    uint16_t cluster_of(const float* values, size_t level) const;

  private:
    struct Level {
        std::vector<float> centroids;
        std::vector<uint8_t> is_used;  ///< whether the cluster has rows
    };

    void split(const Rows& rows, uint32_t parent, const std::vector<uint32_t>& members,
               uint32_t branch_count, Level& level);
    uint32_t nearest_child(const Level& level, const float* values, uint32_t parent,
                           uint32_t branch_count) const;

    uint32_t dims_;
    std::vector<Level> levels_;
    AttributeValues finest_;  ///< of each row, on the last level
};

/// For each query the cluster of a row far from it: of 8 rows drawn outside its own cluster `near`,
/// that of the farthest. REQUIRES: more than one cluster with rows.
AttributeValues far_clusters(const Rows& rows, const AttributeValues& clusters, const Rows& queries,
                             const AttributeValues& near);

}  // namespace lookalike

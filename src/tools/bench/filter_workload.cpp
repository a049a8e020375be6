#include "tools/bench/filter_workload.h"

namespace lookalike {
namespace {

constexpr uint64_t kRowSeed = 100, kQuerySeed = 200;  // one seed a level

AttributeValues near_clusters(const ClusterTree& tree, const Rows& queries, size_t level) {
    AttributeValues near;
    for (uint32_t query = 0; query < queries.count(); ++query)
        near.push_back(tree.cluster_of(queries.row(query), level));
    return near;
}

}  // namespace

FilterWorkload make_workload(const Dataset& set, uint32_t query_count) {
    const auto end = set.queries.values.begin() + size_t{query_count} * set.queries.dims;
    const Rows queries{set.queries.dims, {set.queries.values.begin(), end}};
    const ClusterTree tree(set.base);
    FilterWorkload workload;
    for (size_t level = 0; level < kValueCounts.size(); ++level) {
        const uint32_t value_count = kValueCounts[level];
        workload.cells.push_back({kIndependent, workload.columns.size(),
                                  random_values(query_count, value_count, kQuerySeed + level)});
        workload.columns.push_back(
            {"independent_" + std::to_string(value_count), value_count,
             random_values(set.base.count(), value_count, kRowSeed + level)});
    }
    std::vector<FilterQuestions> far;
    for (size_t level = 0; level < kValueCounts.size(); ++level) {
        const uint32_t value_count = kValueCounts[level];
        const size_t column = workload.columns.size();
        workload.columns.push_back(
            {"correlated_" + std::to_string(value_count), value_count, tree.clusters(level)});
        const AttributeValues near = near_clusters(tree, queries, level);
        far.push_back(
            {kFar, column, far_clusters(set.base, workload.columns.back().values, queries, near)});
        workload.cells.push_back({kNear, column, near});
    }
    workload.cells.insert(workload.cells.end(), far.begin(), far.end());
    return workload;
}

}  // namespace lookalike

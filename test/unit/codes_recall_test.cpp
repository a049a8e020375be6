// Rotation, codes and window together: recall has floors, on real and on random data.
#include <gtest/gtest.h>

#include "small_ivf.h"

namespace lookalike {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
constexpr size_t kNeighbors = 10;

struct Outcome {
    double recall;
    double refined;  ///< a query
};

Outcome search_all(Metric metric, const Vectors& rows, const Vectors& queries, size_t lists,
                   size_t probes) {
    SmallIvf index(metric, rows, lists);
    size_t common = 0;
    SearchCost cost;
    for (size_t i = 0; i < queries.count(); ++i)
        common +=
            common_ids(exact_nearest(metric, rows, queries[i], kNeighbors),
                       index.search(queries[i], kNeighbors, probes, kDefaultScanEpsilon, cost));
    const double count = static_cast<double>(queries.count());
    return {.recall = static_cast<double>(common) / (count * kNeighbors),
            .refined = static_cast<double>(cost.refined) / count};
}

TEST(CodesRecall, ReachesItsFloorOnRealImages) {
    const Vectors rows = fashion_mnist("train", 5000);
    const Vectors queries = fashion_mnist("t10k", 100);
    if (rows.count() == 0) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    for (const Metric metric : kMetrics) {
        // All lists: only the codes can lose a neighbour.
        const Outcome all = search_all(metric, rows, queries, 16, 16);
        EXPECT_GE(all.recall, 0.98) << int(metric);
        EXPECT_LE(all.refined, 150) << int(metric);
        if (metric == Metric::kInnerProduct) continue;  // its lists are not the nearest ones
        EXPECT_GE(search_all(metric, rows, queries, 64, 8).recall, 0.93) << int(metric);
    }
}

// Rows that the codes hide in lists that are opened, of those that a query finds there with bounds
// that always hold.
double hidden_share(const Vectors& rows, const Vectors& queries, double epsilon) {
    SmallIvf index(Metric::kL2, rows, 16);
    SearchCost cost;
    size_t common = 0;
    for (size_t i = 0; i < queries.count(); ++i)
        common += common_ids(index.search(queries[i], kNeighbors, 8, kFullRecallEpsilon, cost),
                             index.search(queries[i], kNeighbors, 8, epsilon, cost));
    return 1 - static_cast<double>(common) / static_cast<double>(queries.count() * kNeighbors);
}

TEST(CodesRecall, CodesHideATenthOfWhatTheRecallAllowsToMiss) {
    const Vectors images = fashion_mnist("train", 5000);
    const Vectors image_queries = fashion_mnist("t10k", 300);
    const Vectors clustered = clustered_vectors(128, 5000, 50, 1, 2);
    const Vectors clustered_queries = clustered_vectors(128, 300, 50, 1, 3);
    for (const double recall : {0.9, 0.95, 0.99, 0.999}) {
        SCOPED_TRACE(recall);
        const double allowed = (1 - recall) / 10;
        EXPECT_LE(hidden_share(clustered, clustered_queries, scan_epsilon(recall)), allowed);
        if (images.count() == 0) continue;  // dataset-fashion-mnist is not installed
        EXPECT_LE(hidden_share(images, image_queries, scan_epsilon(recall)), allowed);
    }
}

TEST(CodesRecall, ReachesItsFloorOnClusteredRandomData) {
    const Vectors rows = clustered_vectors(100, 5000, 50, 1, 2);
    const Vectors queries = clustered_vectors(100, 50, 50, 1, 3);
    for (const Metric metric : kMetrics) {
        const Outcome all = search_all(metric, rows, queries, 16, 16);
        EXPECT_GE(all.recall, 0.97) << int(metric);
        EXPECT_LE(all.refined, 300) << int(metric);
    }
}

}  // namespace
}  // namespace lookalike

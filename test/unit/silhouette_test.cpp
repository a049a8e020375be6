#include "core/cluster/silhouette.h"

#include <gtest/gtest.h>

#include <vector>

namespace lookalike {
namespace {

void go_on() {}

TEST(Silhouette, IsTheMeanOverTheRows) {
    // At 1, 3 | 9, 11 with centroids 2, 10: 1 - 1/9, 1 - 1/7 on either side.
    const std::vector<float> rows{1, 3, 9, 11}, centroids{2, 10};
    EXPECT_NEAR(silhouette(rows, centroids, 1, go_on), 1 - (1 / 9.0 + 1 / 7.0) / 2, 1e-6);
}

TEST(Silhouette, RowsAloneAndOnTwoCentroidsCountNothing) {
    const std::vector<float> rows{1, 3, 9, 11, 50}, centroids{2, 10, 50};
    EXPECT_NEAR(silhouette(rows, centroids, 1, go_on), (1 - (1 / 9.0 + 1 / 7.0) / 2) * 4 / 5, 1e-6);
    const std::vector<float> equal{4, 4};
    EXPECT_EQ(silhouette(equal, equal, 1, go_on), 0);
}

TEST(Silhouette, TriesNumbersUpToTheRootOfTheRows) {
    EXPECT_EQ(most_tried_clusters(3), 2u);
    EXPECT_EQ(most_tried_clusters(10), 4u);
    EXPECT_EQ(most_tried_clusters(1000000), kMostTriedClusters);
    std::vector<uint32_t> tried;
    for (uint32_t count = 2; count <= kMostTriedClusters; count = next_tried_count(count))
        tried.push_back(count);
    EXPECT_EQ(tried.size(), 28u);
    EXPECT_EQ(tried[14], 16u);
    EXPECT_EQ(tried[15], 18u);
}

}  // namespace
}  // namespace lookalike

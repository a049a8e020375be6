#include "tools/bench/filter_attributes.h"

#include <gtest/gtest.h>

#include <set>

namespace lookalike {
namespace {

// Every cluster of the first three levels is a heap of its own on a line: heaps of 10 are nearer to
// each other than to the next ten, and so on.
Rows heaps_on_a_line(uint32_t rows_per_heap) {
    Rows rows{.dims = 1, .values = {}};
    for (uint32_t heap = 0; heap < 100; ++heap) {
        const uint32_t half = heap / 50, fifth = heap / 10 % 5, tenth = heap % 10;
        for (uint32_t i = 0; i < rows_per_heap; ++i) {
            rows.values.push_back(static_cast<float>(half) * 1e6f +
                                  static_cast<float>(fifth) * 1e4f +
                                  static_cast<float>(tenth) * 1e2f + static_cast<float>(i) * 1e-3f);
        }
    }
    return rows;
}

TEST(FilterAttributes, RandomValuesAreEvenAndRepeatable) {
    const AttributeValues values = random_values(100000, 10, 7);
    EXPECT_EQ(values, random_values(100000, 10, 7));
    EXPECT_NE(values, random_values(100000, 10, 8));
    std::vector<uint32_t> counts(10);
    for (const uint16_t value : values)
        ++counts.at(value);
    for (const uint32_t count : counts)
        EXPECT_NEAR(count, 10000, 500);
    EXPECT_EQ(random_values(4, 10000, 1), (AttributeValues{1528, 2462, 9930, 5246}));
}

TEST(FilterAttributes, ClustersAreNested) {
    const Rows rows = heaps_on_a_line(30);
    const ClusterTree tree(rows);
    for (size_t level = 0; level + 1 < kValueCounts.size(); ++level) {
        const AttributeValues coarse = tree.clusters(level), fine = tree.clusters(level + 1);
        const uint32_t width = kValueCounts[level + 1] / kValueCounts[level];
        for (uint32_t id = 0; id < rows.count(); ++id)
            ASSERT_EQ(fine[id] / width, coarse[id]);
    }
}

TEST(FilterAttributes, NearRowsShareAClusterAndFarOnesDoNot) {
    const Rows rows = heaps_on_a_line(30);
    const ClusterTree tree(rows);
    const AttributeValues halves = tree.clusters(0);
    for (uint32_t id = 0; id < rows.count(); ++id)
        EXPECT_EQ(halves[id] == halves[0], id < rows.count() / 2) << id;
}

TEST(FilterAttributes, QueriesFallWhereTheirRowWas) {
    const Rows rows = heaps_on_a_line(30);
    const ClusterTree tree(rows);
    for (size_t level = 0; level < 3; ++level) {
        const AttributeValues clusters = tree.clusters(level);
        for (uint32_t id = 0; id < rows.count(); id += 7)
            EXPECT_EQ(tree.cluster_of(rows.row(id), level), clusters[id]);
    }
}

TEST(FilterAttributes, QueriesFallIntoClustersWithRows) {
    // 100 rows cannot fill 10,000 clusters.
    const Rows rows = heaps_on_a_line(1);
    const ClusterTree tree(rows);
    const AttributeValues finest = tree.clusters(4);
    const std::set<uint16_t> used(finest.begin(), finest.end());
    for (const float value : {-1e9f, 0.f, 51.f, 123456.f, 1e9f})
        EXPECT_TRUE(used.contains(tree.cluster_of(&value, 4))) << value;
}

TEST(FilterAttributes, FarClustersHaveRowsAndAreNotTheOwn) {
    const Rows rows = heaps_on_a_line(30);
    const ClusterTree tree(rows);
    const AttributeValues clusters = tree.clusters(2);
    AttributeValues near;
    for (uint32_t id = 0; id < rows.count(); ++id)
        near.push_back(tree.cluster_of(rows.row(id), 2));
    const AttributeValues far = far_clusters(rows, clusters, rows, near);
    const std::set<uint16_t> used(clusters.begin(), clusters.end());
    uint32_t other_half = 0;
    for (uint32_t id = 0; id < rows.count(); ++id) {
        EXPECT_NE(far[id], near[id]);
        EXPECT_TRUE(used.contains(far[id]));
        other_half += far[id] / 50 != near[id] / 50;
    }
    EXPECT_GT(other_half, rows.count() * 9 / 10) << "of 8 draws one is nearly always there";
}

}  // namespace
}  // namespace lookalike

#include "core/cluster/row_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

namespace lookalike {
namespace {

void go_on() {}

/// Rows with these hashes in random order, sorted as keys.
std::vector<RowKey> shuffled_keys(std::vector<uint64_t> hashes, int seed) {
    std::ranges::shuffle(hashes, std::mt19937(seed));
    std::vector<RowKey> keys;
    for (const uint64_t hash : hashes)
        keys.push_back({hash, static_cast<uint32_t>(keys.size())});
    sort_keys(keys, go_on);
    return keys;
}

std::vector<uint64_t> many_hashes(size_t count) {
    std::mt19937_64 random(5);
    std::vector<uint64_t> hashes(count);
    for (size_t i = 0; i < count; ++i)  // a fifth of all are copies of one row
        hashes[i] = i % 5 == 0 ? 42 : random();
    return hashes;
}

/// The hashes of a sample, in its order.
std::vector<uint64_t> sampled_hashes(const std::vector<RowKey>& keys, size_t wanted) {
    std::map<uint32_t, uint64_t> hash_of_row;
    for (const RowKey& key : keys)
        hash_of_row[key.row] = key.hash;
    std::vector<SampledRow> sample(wanted);
    sample.resize(choose_sample(keys, sample));
    EXPECT_TRUE(std::ranges::is_sorted(sample, {}, &SampledRow::row));
    std::ranges::sort(sample, {}, &SampledRow::place);
    std::vector<uint64_t> hashes;
    for (const SampledRow& row : sample) {
        EXPECT_EQ(row.place, hashes.size());
        hashes.push_back(hash_of_row[row.row]);
    }
    return hashes;
}

TEST(RowOrder, SampleDoesNotDependOnTheOrderOfTheRows) {
    const auto hashes = many_hashes(20000);
    for (const size_t wanted : {1u, 100u, 500u, 19999u, 20000u, 30000u}) {
        const auto sample = sampled_hashes(shuffled_keys(hashes, 1), wanted);
        EXPECT_EQ(sample, sampled_hashes(shuffled_keys(hashes, 2), wanted));
        EXPECT_LE(sample.size(), wanted);
        EXPECT_GE(sample.size(), std::min<size_t>((wanted + 1) / 2, 20000));
    }
}

TEST(RowOrder, SampleHasCopiesAsTheRowsHave) {
    const auto sample = sampled_hashes(shuffled_keys(many_hashes(20000), 1), 5000);
    EXPECT_GT(sample.size(), 4500u);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(sample, 42u)) / sample.size(), 0.2, 0.03);
}

TEST(RowOrder, CountsDifferentRows) {
    EXPECT_EQ(distinct_count({}), 0u);
    EXPECT_EQ(distinct_count(shuffled_keys({7}, 1)), 1u);
    EXPECT_EQ(distinct_count(shuffled_keys({7, 7, 1, 9, 1}, 1)), 3u);
}

TEST(RowOrder, EachDifferentRowIsACluster) {
    const auto keys = shuffled_keys({7, 7, 1, 9, 1}, 3);
    std::vector<int32_t> clusters(5, -1);
    EXPECT_EQ(make_cluster_of_each(keys, clusters), 3u);
    for (const RowKey& key : keys)
        EXPECT_EQ(clusters[key.row], key.hash == 1 ? 0 : key.hash == 7 ? 1 : 2);
}

TEST(RowOrder, NumbersTheLargestClusterFirst) {
    // Row 5 has no key, row 4 no cluster; cluster 2 has no rows.
    const std::vector<RowKey> keys{{1, 3}, {2, 0}, {3, 1}, {4, 2}, {5, 4}, {6, 6}};
    std::vector<int32_t> clusters{1, 3, 3, 0, -1, -1, 3};
    EXPECT_EQ(number_by_size(keys, 4, clusters), 3u);
    EXPECT_EQ(clusters, (std::vector<int32_t>{2, 0, 0, 1, -1, -1, 0}));
}

TEST(RowOrder, SortingCanBeStopped) {
    std::vector<RowKey> keys(200000);
    std::mt19937_64 random(1);
    for (RowKey& key : keys)
        key.hash = random();
    EXPECT_THROW(sort_keys(keys, [] { throw std::runtime_error("stop"); }), std::runtime_error);
}

}  // namespace
}  // namespace lookalike

#include "core/measure/nearest_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <set>

namespace lookalike {
namespace {

constexpr size_t kQueries = 40;
constexpr size_t kPlaces = 64;  // whole blocks

TEST(NearestRows, AreTheNearestThatPassed) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(1, 2);
    for (const size_t row_count : {5u, 10u, 11u, 20u, 21u, 1000u}) {
        NearestRows nearest(kQueries, 10, true);
        std::vector<std::vector<NearRow>> all(kQueries);
        for (uint32_t row = 0; row < row_count; ++row) {
            std::vector<float> keys(kPlaces);
            for (size_t query = 0; query < kQueries; ++query) {
                keys[query] = uniform(random);
                all[query].push_back({keys[query], row});
            }
            nearest.pass(keys.data(), row);
        }
        for (size_t query = 0; query < kQueries; ++query) {
            std::sort(all[query].begin(), all[query].end());
            const std::span<const NearRow> kept = nearest.sorted(query);
            ASSERT_EQ(kept.size(), std::min<size_t>(row_count, 10));
            for (size_t i = 0; i < kept.size(); ++i) {
                EXPECT_EQ(kept[i].key, all[query][i].key);
                EXPECT_EQ(kept[i].list, all[query][i].list);
            }
        }
    }
}

// Many are kept, of which many are equal, or nearly, or on both sides of zero.
TEST(NearestRows, AreTheNearestWhateverTheKeys) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    const auto cube = [](float x) { return x * x * x * 1e9f; };
    const std::function<float()> draws[] = {
        [&] { return normal(random); },
        [&] { return cube(normal(random)); },
        [&] { return std::round(3 * normal(random)); },
        [&] { return 1 + normal(random) * 1e-6f; },
        [&] { return 7.0f; },
        [&] { return random() % 2 == 0 ? -std::numeric_limits<float>::infinity() : 1e-40f; }};
    for (const auto& draw : draws) {
        NearestRows nearest(1, 1000, false);
        std::vector<float> all;
        for (uint32_t row = 0; row < 20000; ++row) {
            all.push_back(draw());
            nearest.pass(0, {all.back(), row});
        }
        const std::vector<float> by_list = all;
        std::sort(all.begin(), all.end());
        const std::span<const NearRow> kept = nearest.sorted(0);
        ASSERT_EQ(kept.size(), 1000u);
        EXPECT_GE(nearest.limit(0), all[999]);
        std::set<uint32_t> lists;
        for (size_t i = 0; i < kept.size(); ++i) {
            EXPECT_EQ(kept[i].key, all[i]);
            EXPECT_EQ(by_list[kept[i].list], kept[i].key);
            lists.insert(kept[i].list);
        }
        EXPECT_EQ(lists.size(), kept.size());
    }
}

TEST(NearestRows, PassOnlyTheQueriesThatCount) {
    NearestRows nearest(kQueries, 3, true);
    const uint32_t among[] = {1U << 5, 1U << 2};
    const std::vector<float> keys(kPlaces, 1.5f);
    nearest.pass(keys.data(), 7, among);
    for (size_t query = 0; query < kQueries; ++query)
        EXPECT_EQ(nearest.sorted(query).size(), query == 5 || query == 34 ? 1u : 0u) << query;
}

TEST(NearestRows, LeaveOutTheQueryItself) {
    for (const bool skips_zero : {true, false}) {
        NearestRows nearest(1, 3, skips_zero);
        nearest.pass(0, {0, 1});
        nearest.pass(0, {-1, 2});
        nearest.pass(0, {1, 3});
        EXPECT_EQ(nearest.sorted(0).size(), skips_zero ? 2u : 3u);
        EXPECT_EQ(nearest.sorted(0)[0].list, 2u);
    }
}

TEST(NearestRows, TheLimitIsTheFarthestThatMayBeKept) {
    NearestRows nearest(1, 2, true);
    for (int i = 100; i > 0; --i)
        nearest.pass(0, {static_cast<float>(i), 0});
    EXPECT_GE(nearest.limit(0), 2);
    EXPECT_LT(nearest.limit(0), 20);
    const float limit = nearest.limit(0);
    nearest.pass(0, {limit, 9});
    EXPECT_EQ(nearest.sorted(0)[0].key, 1);
    EXPECT_EQ(nearest.sorted(0)[1].key, 2);
    // More may pass after it was asked for.
    nearest.pass(0, {0.5f, 9});
    EXPECT_EQ(nearest.sorted(0)[0].list, 9u);
    EXPECT_EQ(nearest.sorted(0).size(), 2u);
}

}  // namespace
}  // namespace lookalike

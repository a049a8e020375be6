#include "core/measure/query_tile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/measure/query_kernel.h"
#include "core/vector/element.h"
#include "each_target.h"

namespace lookalike {
namespace {

std::vector<float> random_floats(size_t count, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> result(count);
    for (float& x : result)
        x = normal(random);
    return result;
}

std::vector<float> keys_of(const QueryTile& tile, std::span<const Elements> rows) {
    std::vector<float> keys(tile.place_count() * QueryTile::kMostRows);
    tile.keys(rows, keys.data());
    return keys;
}

std::vector<float> keys_of(const QueryTile& tile, const Elements& row) {
    return keys_of(tile, {&row, 1});
}

// Numbers of queries and of elements that fill vectors and that do not.
TEST(QueryTile, SaysOfEachQueryWhatRowKeySays) {
    on_each_target([] {
        std::mt19937 random(3);
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
            for (const uint32_t dims : {1u, 2u, 15u, 16u, 33u, 128u}) {
                for (const size_t count : {1u, 31u, 32u, 33u, 100u}) {
                    QueryTile tile(metric, dims);
                    const std::vector<float> queries = random_floats(count * dims, random);
                    const std::vector<float> floats = random_floats(3 * dims, random);
                    std::vector<Elements> rows;
                    for (size_t row = 0; row < 3; ++row)
                        rows.push_back({floats.data() + row * dims, nullptr});
                    for (size_t i = 0; i < count; ++i)
                        tile.add({queries.data() + i * dims, nullptr});
                    const std::vector<float> keys = keys_of(tile, rows);
                    ASSERT_EQ(tile.size(), count);
                    for (size_t i = 0; i < count; ++i) {
                        const Elements query{queries.data() + i * dims, nullptr};
                        for (size_t row = 0; row < 3; ++row) {
                            const float wanted = row_key(metric, query, rows[row], dims);
                            EXPECT_NEAR(keys[row * tile.place_count() + i], wanted,
                                        1e-4 * (1 + std::abs(wanted)))
                                << dims << " " << i;
                        }
                        EXPECT_EQ(tile.floats_of(i),
                                  std::vector<float>(query.floats, query.floats + dims));
                    }
                }
            }
        }
    });
}

TEST(QueryTile, AQueryIsAtZeroFromItself) {
    on_each_target([] {
        std::mt19937 random(4);
        QueryTile tile(Metric::kL2, 77);
        const std::vector<float> queries = random_floats(40 * 77, random);
        for (size_t i = 0; i < 40; ++i)
            tile.add({queries.data() + i * 77, nullptr});
        for (size_t i = 0; i < 40; ++i) {
            const std::vector<float> keys = keys_of(tile, {queries.data() + i * 77, nullptr});
            EXPECT_EQ(keys[i], 0);
            EXPECT_GT(keys[(i + 1) % 40], 0);
        }
    });
}

TEST(QueryTile, HasOtherQueriesAfterItWasCleared) {
    QueryTile tile(Metric::kL2, 3);
    const float old_queries[] = {9, 9, 9};
    for (int i = 0; i < 50; ++i)
        tile.add({old_queries, nullptr});
    tile.clear();
    const float query[] = {1, 2, 3};
    tile.add({query, nullptr});
    const float row[] = {1, 0, 0};
    EXPECT_EQ(tile.size(), 1u);
    EXPECT_EQ(tile.place_count(), kQueriesSideBySide);
    EXPECT_EQ(keys_of(tile, {row, nullptr})[0], 13);
}

TEST(QueryTile, TellsBitsApart) {
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
        QueryTile tile(metric, 20);
        const uint8_t queries[2][3] = {{0xFF, 0, 0x10}, {0x0F, 0x80, 0}};
        for (const auto& query : queries)
            tile.add({nullptr, query});
        const uint8_t row[] = {0x0F, 0, 0x10};
        const std::vector<float> keys = keys_of(tile, {nullptr, row});
        for (size_t i = 0; i < 2; ++i) {
            EXPECT_EQ(keys[i], row_key(metric, {nullptr, queries[i]}, {nullptr, row}, 20));
            EXPECT_EQ(tile.bits_of(i)[0], queries[i][0]);
        }
        EXPECT_EQ(keys[0], metric == Metric::kHamming ? 4.0f : 1 - 5.0f / 9);
    }
}

TEST(QueryKernel, FindsWhatIsBelowItsLimit) {
    on_each_target([] {
        std::mt19937 random(5);
        const std::vector<float> keys = random_floats(96, random);
        std::vector<float> limits = random_floats(96, random);
        limits[17] = keys[17];
        limits[18] = NAN;
        uint32_t bits[3];
        find_below(keys.data(), limits.data(), 3, bits);
        std::vector<size_t> found;
        for_each_bit(bits, [&](size_t i) { found.push_back(i); });
        std::vector<size_t> wanted;
        for (size_t i = 0; i < 96; ++i)
            if (keys[i] < limits[i]) wanted.push_back(i);
        EXPECT_EQ(found, wanted);
        EXPECT_GT(found.size(), 20u);
    });
}

}  // namespace
}  // namespace lookalike

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>

#include "tools/bench/growth_result.h"
#include "tools/bench/growth_truth.h"

namespace lookalike {
namespace {

std::filesystem::path cache_file() {
    return std::filesystem::path(testing::TempDir()) / "bench_growth_truth";
}

// Rows at 0, 1, 2, ... on a line, queries between them.
Dataset on_a_line(uint32_t row_count) {
    Dataset set;
    set.base.dims = set.queries.dims = 1;
    for (uint32_t i = 0; i < row_count; ++i)
        set.base.values.push_back(static_cast<float>(i));
    set.queries.values = {-0.25f, 700.25f};
    return set;
}

std::vector<uint32_t> ten_from(uint32_t first) {
    std::vector<uint32_t> ids(10);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

TEST(GrowthTruth, CountsTheRowsThatTheTableHas) {
    std::filesystem::remove(cache_file());
    const Dataset set = on_a_line(1000);
    std::vector<uint32_t> backwards(1000);
    std::iota(backwards.rbegin(), backwards.rend(), 0);
    // The second time from the cache.
    for (int i = 0; i < 2; ++i) {
        const GrowthTruth truth(set, backwards, {5, 600, 1000}, cache_file());
        EXPECT_EQ(truth.recall(600, 0, ten_from(400)), 1) << "rows 400 to 999 are there";
        EXPECT_EQ(truth.recall(1000, 0, ten_from(400)), 0);
        EXPECT_EQ(truth.recall(1000, 0, ten_from(0)), 1);
        EXPECT_EQ(truth.recall(1000, 1, ten_from(696)), 1);
        EXPECT_EQ(truth.recall(1000, 1, ten_from(699)), 0.7);
        EXPECT_EQ(truth.recall(1000, 0, {0, 0, 0, 1, 5}), 0.3) << "a row counts once";
        EXPECT_EQ(truth.recall(5, 1, {995, 996, 997, 998, 999}), 1) << "there are no more";
    }
}

TEST(GrowthTruth, CacheOfAnotherOrderIsNotUsed) {
    const Dataset set = on_a_line(1000);
    std::vector<uint32_t> order(1000);
    std::iota(order.begin(), order.end(), 0);
    EXPECT_EQ(GrowthTruth(set, order, {600}, cache_file()).recall(600, 1, ten_from(590)), 1);
    std::ranges::reverse(order);
    EXPECT_EQ(GrowthTruth(set, order, {600}, cache_file()).recall(600, 1, ten_from(590)), 0);
    EXPECT_EQ(GrowthTruth(set, order, {500}, cache_file()).recall(500, 0, ten_from(500)), 1);
}

TEST(GrowthResult, LatenciesAreThoseOfInserts) {
    std::vector<double> latencies(10000);
    std::iota(latencies.begin(), latencies.end(), 1);
    std::ranges::shuffle(latencies, std::mt19937(1));
    const GrowthLatencies summary = summarise_inserts(latencies);
    EXPECT_EQ(summary.p50_ms, 5000);
    EXPECT_EQ(summary.p99_ms, 9900);
    EXPECT_EQ(summary.p999_ms, 9990);
    EXPECT_EQ(summary.max_ms, 10000);
    EXPECT_EQ(summarise_inserts({7}).p50_ms, 7);
    EXPECT_EQ(summarise_inserts({}).max_ms, 0);
}

TEST(GrowthResult, TablesAndJsonHaveEverything) {
    GrowthResult result{.set = "sift",
                        .server = "18 \"x\"",
                        .dims = 128,
                        .query_count = 1000,
                        .checkpoints = {},
                        .loads = {{10000, 3, 1, 2}}};
    result.checkpoints.push_back({.history = "inserts",
                                  .loaded_rows = 50000,
                                  .rows = 5000,
                                  .grown_lists = 71,
                                  .searches = {{0.95, 1500, 2000, 0.75, 0.951, 0.962}},
                                  .recalls = {{0.9, 0.912}},
                                  .inserts = {4, 12345, 0.1, 0.2, 0.3, 0.4}});
    const std::string json = growth_json(result);
    for (const char* part :
         {"\"server\": \"18 \\\"x\\\"\"", "\"loaded_rows\": 50000, \"rows\": 5000",
          "\"grown_lists\": 71", "\"grown_per_second\": 1500.0", "\"ratio\": 0.7500",
          "\"setting\": 0.9, \"recall\": 0.9120", "\"p999_ms\": 0.3000",
          "\"into_index_seconds\": 3.000"})
        EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
    const std::string tables = growth_tables(result);
    for (const char* part : {"0.750", "0.9510", "0.9120 (0.9)", "12345", "0.300", "1.00"})
        EXPECT_NE(tables.find(part), std::string::npos) << part << " in " << tables;
}

}  // namespace
}  // namespace lookalike

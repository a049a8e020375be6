#include "tools/bench/result.h"

#include <gtest/gtest.h>

#include <fstream>

namespace lookalike {
namespace {

BenchResult two_points() {
    BenchResult result;
    result.system = "some system";
    result.points = {
        {.knob = 1, .recall = 0.9, .queries_per_second = 1000, .p50_us = 100, .p99_us = 200},
        {.knob = 2, .recall = 1, .queries_per_second = 10, .p50_us = 10000, .p99_us = 20000},
        {.client_count = 2, .knob = 1, .recall = 0.95, .queries_per_second = 7}};
    return result;
}

TEST(BenchResult, InterpolatesInTheLogarithm) {
    const auto point = at_recall(two_points(), 1, 0.95);
    ASSERT_TRUE(point);
    EXPECT_NEAR(point->queries_per_second, 100, 1e-6);
    EXPECT_NEAR(point->p50_us, 1000, 1e-6);
    EXPECT_NEAR(point->p99_us, 2000, 1e-6);
}

TEST(BenchResult, LeastSettingStandsInBelowItsRecall) {
    const auto point = at_recall(two_points(), 1, 0.5);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->recall, 0.9);
    EXPECT_EQ(point->queries_per_second, 1000);
}

TEST(BenchResult, NothingAboveTheGreatestRecall) {
    EXPECT_FALSE(at_recall(two_points(), 2, 0.96));
}

TEST(BenchResult, SummaryTakesPercentilesOfAll) {
    std::vector<double> latencies_us;
    for (int i = 1000; i >= 0; --i)
        latencies_us.push_back(i);
    const BenchPoint point = summarise(latencies_us);
    EXPECT_EQ(point.p50_us, 500);
    EXPECT_EQ(point.p99_us, 990);
    EXPECT_NEAR(point.queries_per_second, 2000, 1e-6);
}

TEST(BenchResult, FileKeepsEverything) {
    BenchResult result = two_points();
    result.build_seconds = 2.5;
    result.index_bytes = 123456;
    result.inserts_per_second = 17;
    const auto file = std::filesystem::path(testing::TempDir()) / "bench_result" / "file";
    write_result(file, result);
    const BenchResult read = read_result(file);
    EXPECT_EQ(read.system, "some system");
    EXPECT_EQ(read.description, "");
    EXPECT_EQ(read.build_seconds, 2.5);
    EXPECT_EQ(read.index_bytes, 123456u);
    EXPECT_EQ(read.inserts_per_second, 17);
    ASSERT_EQ(read.points.size(), 3u);
    EXPECT_EQ(read.points[2].client_count, 2u);
    EXPECT_EQ(read.points[1].p99_us, 20000);
    std::ofstream(file, std::ios::app) << "what is this\n";
    EXPECT_THROW(read_result(file), std::runtime_error);
}

}  // namespace
}  // namespace lookalike

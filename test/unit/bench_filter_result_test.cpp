#include "tools/bench/filter_result.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace lookalike {
namespace {

std::filesystem::path fresh_file(const char* name) {
    const auto file = std::filesystem::path(testing::TempDir()) / "bench_filter_result" / name;
    std::filesystem::remove(file);
    return file;
}

FilterResult some_result() {
    FilterResult result{.description = "versions, settings",
                        .row_count = 1000000,
                        .cells = {},
                        .recall_points = {{0.9, 0.9123}, {0.99, 0.985}}};
    result.cells.push_back({"independent", 2, 500123.5, {}});
    result.cells.push_back({"correlated, far", 10000, 87, {}});
    result.cells[1].measures = {{.system = kDefaultChoice,
                                 .plan = "btree 15, plain index 5",
                                 .filled = 0.995,
                                 .queries_per_second = 1234.5,
                                 .p50_us = 800.25,
                                 .p99_us = 4000,
                                 .timeout_count = 1,
                                 .recalls = {1, 0.9, 0.333333333}},
                                {.system = kPgvector, .plan = "HNSW"}};
    return result;
}

TEST(FilterResult, FileKeepsEverything) {
    const auto file = fresh_file("everything");
    write_filter_result(file, some_result());
    EXPECT_EQ(read_filter_result(file), some_result());
}

TEST(FilterResult, OtherFilesAreRefused) {
    const auto file = fresh_file("other");
    EXPECT_THROW(read_filter_result(file), std::runtime_error) << "not there";
    write_filter_result(file, some_result());
    std::ofstream(file, std::ios::app) << "what is this\n";
    EXPECT_THROW(read_filter_result(file), std::runtime_error);
    std::ofstream(file) << "rows\t5\nmeasure\tbefore any cell\n";
    EXPECT_THROW(read_filter_result(file), std::runtime_error);
    std::ofstream(file)
        << "rows\t5\ncell\tindependent\t2\t3\nmeasure\tcut short\tplan\t1\t9\t9\t9\t0\t3 1 1\n";
    EXPECT_THROW(read_filter_result(file), std::runtime_error);
}

TEST(FilterResult, RecallIsAMean) {
    const FilterMeasure measure = some_result().cells[1].measures[0];
    EXPECT_NEAR(measure.recall(2), 0.95, 1e-9);
    EXPECT_NEAR(measure.recall(), 2.233333333 / 3, 1e-9);
    EXPECT_EQ(FilterMeasure().recall(), 0);
}

TEST(FilterResult, FindsASystem) {
    const FilterResult result = some_result();
    ASSERT_TRUE(find_measure(result.cells[1], kPgvector));
    EXPECT_EQ(find_measure(result.cells[1], kDefaultChoice)->recalls.size(), 3u);
    EXPECT_FALSE(find_measure(result.cells[1], kExact));
    EXPECT_FALSE(find_measure(result.cells[0], kPgvector));
}

}  // namespace
}  // namespace lookalike

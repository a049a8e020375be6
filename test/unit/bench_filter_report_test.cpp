#include "tools/bench/filter_report.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

FilterMeasure measured(const char* system, double recall, double queries_per_second) {
    return {.system = system,
            .plan = "some plan",
            .filled = 1,
            .queries_per_second = queries_per_second,
            .p50_us = 1e6 / queries_per_second,
            .p99_us = 2e6 / queries_per_second,
            .recalls = std::vector<double>(200, recall)};
}

// Meets every mark.
FilterCell good_cell() {
    return {"independent",
            100,
            10000,
            {measured(kDefaultChoice, 0.96, 1000), measured(kPlainIndex, 0.97, 1400),
             measured(kExact, 1, 300), measured(kPgvector, 0.95, 100)}};
}

TEST(FilterReport, GoodCellPasses) {
    const CellVerdict verdict = judge(good_cell());
    EXPECT_EQ(verdict.failed, "");
    EXPECT_NEAR(verdict.to_pgvector, 10, 1e-9);
    EXPECT_NEAR(verdict.times_slower, 1.4, 1e-9);
    EXPECT_TRUE(verdict.finds_as_many);
}

TEST(FilterReport, EachMarkCanFail) {
    FilterCell cell = good_cell();
    cell.measures[0].filled = 0.995;
    EXPECT_EQ(judge(cell).failed, "filled");
    cell = good_cell();
    cell.measures[0].recalls.assign(200, 0.949);
    EXPECT_EQ(judge(cell).failed, "recall, pgvector") << "pgvector's recall is 0.95";
    cell = good_cell();
    cell.measures[3].queries_per_second = 201;
    EXPECT_EQ(judge(cell).failed, "pgvector");
    cell = good_cell();
    cell.measures[3].recalls.assign(200, 0.9606);
    EXPECT_EQ(judge(cell).failed, "pgvector") << "faster at a lower recall does not count";
    cell = good_cell();
    cell.measures[1].queries_per_second = 1501;
    EXPECT_EQ(judge(cell).failed, "slower");
    cell = good_cell();
    cell.measures[2].queries_per_second = 1501;
    EXPECT_EQ(judge(cell).failed, "slower") << "than the exact plan";
}

TEST(FilterReport, RecallsOfTheSameQueriesAreCompared) {
    FilterCell cell = good_cell();
    // The 50 queries that pgvector had time for are the easy ones.
    cell.measures[3].recalls.assign(50, 0.99);
    EXPECT_EQ(judge(cell).failed, "pgvector");
    std::fill_n(cell.measures[0].recalls.begin(), 50, 1.0);
    EXPECT_EQ(judge(cell).failed, "");
}

TEST(FilterReport, WhatWasNotMeasuredDoesNotFail) {
    FilterCell cell = good_cell();
    cell.measures.resize(1);
    const CellVerdict verdict = judge(cell);
    EXPECT_EQ(verdict.failed, "");
    EXPECT_EQ(verdict.to_pgvector, 0);
    EXPECT_EQ(verdict.times_slower, 0);
}

TEST(FilterReport, SharesAreExact) {
    EXPECT_EQ(passing_share(2), "50 %");
    EXPECT_EQ(passing_share(1000), "0.1 %");
    EXPECT_EQ(passing_share(10000), "0.01 %");
}

FilterResult two_cells() {
    FilterResult result{.description = "said by somebody",
                        .row_count = 1000000,
                        .cells = {},
                        .recall_points = {{0.9, 0.935}, {0.99, 0.981}}};
    result.cells = {good_cell(), good_cell()};
    result.cells[1].attribute = "correlated, far";
    result.cells[1].measures[0].recalls.assign(200, 0.9512);
    result.cells[1].measures[3].queries_per_second = 25;
    return result;
}

void expect_line(const std::string& text, const std::string& line) {
    EXPECT_NE(text.find("\n" + line + "\n"), std::string::npos) << line << "\nis not in\n" << text;
}

TEST(FilterReport, MarksNameTheWorstCell) {
    const std::string text = filter_section(two_cells());
    EXPECT_TRUE(text.starts_with("said by somebody\n"));
    expect_line(text, "| LIMIT filled, worst cell | 100 % | 100.0 % (independent, 1 %) | pass |");
    expect_line(text,
                "| recall, worst cell | at least 0.95 | 0.951 (correlated, far, 1 %) | pass |");
    expect_line(text,
                "| queries a second to pgvector at equal or better recall, worst cell "
                "| at least 5x | 10.00x (independent, 1 %) | pass |");
    expect_line(text, "| the same, geometric mean | at least 8x | 20.00x | pass |");
    expect_line(text,
                "| times slower than the faster of exact and plain index, worst cell "
                "| at most 1.5x | 1.40x (independent, 1 %) | pass |");
    expect_line(text,
                "| recall at lookalike.recall = 0.90, no filter | 0.89 to 0.93 | 0.9350 "
                "| **fail** |");
    expect_line(text,
                "| recall at lookalike.recall = 0.99, no filter | 0.98 to 1.00 | 0.9810 "
                "| pass |");
}

TEST(FilterReport, CellsThatFindLessAreCounted) {
    FilterResult result = two_cells();
    result.cells[1].measures[3].recalls.assign(200, 0.99);
    expect_line(filter_section(result),
                "| queries a second to pgvector at equal or better recall, worst cell | at least "
                "5x | 10.00x (independent, 1 %); cells with lower recall: 1 | **fail** |");
}

TEST(FilterReport, TablesShowEveryCellAndSystem) {
    FilterResult result = two_cells();
    result.cells[1].measures[0].filled = 0.5;
    const std::string text = filter_section(result);
    expect_line(text,
                "| 1 % | 10000 | some plan | 100.0 % | 0.960 | 1000 | 1.00 | 2.00 | - | 1400 "
                "| 300 | 100 | 0.950 | 10.00x | 1.40x | pass |");
    expect_line(text,
                "| 1 % | 10000 | some plan | 50.0 % | 0.951 | 1000 | 1.00 | 2.00 | - | 1400 "
                "| 300 | 25.0 | 0.950 | 40.00x | 1.40x | fail: filled |");
    expect_line(text,
                "| correlated, far | 1 % | pgvector HNSW | some plan | 200 | 100.0 % | "
                "0.9500 | 25.0 | 10.000 | 20.000 | 0 |");
}

TEST(FilterReport, WithoutPgvectorItsMarksAreLeftOut) {
    FilterResult result = two_cells();
    for (FilterCell& cell : result.cells)
        cell.measures.resize(3);
    const std::string text = filter_section(result);
    EXPECT_EQ(text.find("to pgvector at equal"), std::string::npos);
    EXPECT_NE(text.find("| LIMIT filled"), std::string::npos);
}

TEST(FilterReport, IncompleteResultsAreRefused) {
    FilterResult result = two_cells();
    result.cells[1].measures.erase(result.cells[1].measures.begin());
    EXPECT_THROW(filter_section(result), std::runtime_error);
    EXPECT_THROW(filter_section({}), std::runtime_error);
}

}  // namespace
}  // namespace lookalike

#include "core/build/build_plan.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

constexpr uint64_t kMegabyte = 1024 * 1024;

TEST(BuildPlan, ListsAreTheSquareRootOfTheRows) {
    EXPECT_EQ(wanted_list_count(0), 1u);
    EXPECT_EQ(wanted_list_count(kRowsOfOneList), 1u);
    EXPECT_EQ(wanted_list_count(kRowsOfOneList + 1), 70u);
    EXPECT_EQ(wanted_list_count(1000000), 1000u);
    EXPECT_EQ(wanted_list_count(999999), 999u);
}

TEST(BuildPlan, CentroidsTakeAQuarter) {
    const BuildBudget budget(64 * kMegabyte);
    EXPECT_EQ(budget.fitting_list_count(128), 32768u);
    EXPECT_EQ(budget.list_count(1000000, 128), 1000u);
    EXPECT_EQ(budget.list_count(1000000, 16384), 256u);
    EXPECT_EQ(BuildBudget(1024).fitting_list_count(16384), 1u);
}

TEST(BuildPlan, WhatIsEnoughToLearnIsEnoughForBoth) {
    // Centroids of 1,000 lists of 16,384 dimensions in a quarter; or 39,000 rows in four fifths of
    // a third.
    EXPECT_EQ(BuildBudget::bytes_to_learn(1000, 39000, 128, 16384), 16u * 1000 * 16384);
    for (const uint32_t dims : {1u, 96u, 2048u}) {
        const BuildBudget enough(BuildBudget::bytes_to_learn(1000, 39000, dims, dims));
        EXPECT_GE(enough.fitting_list_count(dims), 1000u);
        EXPECT_GE(enough.fitting_sample_rows(dims), 39000u / 4 * 5);
        EXPECT_LE(enough.fitting_sample_rows(dims), 39000u / 4 * 5 * 1.05);
    }
}

TEST(BuildPlan, TheSampleHasWhatKMeansUsesAndTakesAThirdAtMost) {
    const BuildBudget budget(48 * kMegabyte);
    EXPECT_EQ(budget.fitting_sample_rows(128), 32768u);
    EXPECT_EQ(budget.sample_rows(128, 100), 25600u);
    EXPECT_EQ(budget.sample_rows(128, 1000), 32768u);
    EXPECT_EQ(budget.sample_rows(128, 1), 2 * kRowsOfOneList);
    EXPECT_EQ(BuildBudget(1024).sample_rows(16000, 1), 20u);
}

// 2e10 multiplications for the first kind, 1e10 for the second, which meets a tenth of the rows.
TEST(BuildPlan, QueriesFollowTheWorkWithinBounds) {
    const BuildBudget budget(1024 * kMegabyte);
    const QueryCounts usual = budget.query_counts(1000000, 128, 1000);
    EXPECT_EQ(usual.all_rows, 156u);
    EXPECT_EQ(usual.near_lists, 781u);
    const QueryCounts few_rows = budget.query_counts(10000, 128, 100);
    EXPECT_EQ(few_rows.all_rows, kMostQueries.all_rows);
    EXPECT_EQ(few_rows.near_lists, kMostQueries.near_lists);
    const QueryCounts many_rows = budget.query_counts(1000000000, 128, 30000);
    EXPECT_EQ(many_rows.all_rows, kFewestQueries.all_rows);
    EXPECT_EQ(many_rows.near_lists, kFewestQueries.near_lists);
    EXPECT_EQ(budget.query_counts(0, 128, 1).all_rows, kMostQueries.all_rows);
}

TEST(BuildPlan, QueriesOfAKindTakeAnEighthAtMost) {
    const BuildBudget budget(2 * kMegabyte);
    const QueryCounts counts = budget.query_counts(100000, 1024, 300);
    const uint64_t all_rows_bytes = 4 * 1024 + Calibrator::kBytesPerQuery;
    const uint64_t near_bytes = 4 * 1024 + Calibrator::kBytesPerNearQuery;
    EXPECT_LE((counts.all_rows - 1) * all_rows_bytes, budget.bytes() / 8);
    EXPECT_GT(counts.all_rows * all_rows_bytes, budget.bytes() / 8);
    EXPECT_LE((counts.near_lists - 1) * near_bytes, budget.bytes() / 8);
    EXPECT_GT(counts.near_lists * near_bytes, budget.bytes() / 8);
    // However little there is, one of each kind.
    EXPECT_EQ(BuildBudget(0).query_counts(100000, 1024, 300).sum(), 2u);
}

TEST(BuildPlan, StepsOfAssigningStayWithinTheMemory) {
    const BuildBudget small(16 * kMegabyte);
    EXPECT_EQ(small.batch_bytes(), kMegabyte);
    const BuildBudget large(1024 * kMegabyte);
    EXPECT_EQ(large.batch_bytes(), 4 * kMegabyte);
    for (const uint64_t lists : {1, 100, 1000, 2000}) {
        const uint64_t beside = small.assign_bytes(lists, 128);
        EXPECT_LE(beside + small.sort_bytes(lists, 128), small.bytes()) << lists;
        EXPECT_GE(small.sort_bytes(lists, 128), small.bytes() / 8) << lists;
    }
    // Three quarters of what is left; an eighth where nothing is.
    EXPECT_EQ(large.sort_bytes(1, 128), (large.bytes() - 4 * kMegabyte - 512) / 4 * 3);
    EXPECT_EQ(small.sort_bytes(1000000, 128), small.bytes() / 8);
    // One list has no worker and is not measured.
    EXPECT_EQ(small.assign_bytes(1, 128), small.batch_bytes() + 512);
    EXPECT_GT(small.assign_bytes(2, 128), 4 * small.batch_bytes());
    // Centroids are here, in the shared area and in the worker.
    EXPECT_EQ(small.assign_bytes(2000, 128) - small.assign_bytes(1000, 128), 3 * 1000 * 512u);
}

TEST(BuildPlan, MeasuringInPassingTakesFewDistancesAnEntryAndSixMegabytes) {
    for (const uint64_t list_count : {2, 20, 100, 1000, 4000, 65536})
        for (const uint64_t vector_bytes : {8, 512, 3072, 64000}) {
            const uint64_t rows = list_count * list_count;
            const QueryCounts counts = upkeep_query_counts(vector_bytes, rows, list_count);
            const uint64_t near = near_list_count(list_count);
            EXPECT_GE(counts.all_rows, 40u) << vector_bytes;
            EXPECT_LE(static_cast<double>(counts.all_rows + counts.near_lists * near / list_count),
                      upkeep_distances(rows));
            const uint64_t of_lists = counts.near_lists * near * sizeof(uint32_t);
            EXPECT_LE(counts.all_rows * (vector_bytes + Calibrator::kBytesPerQuery) +
                          counts.near_lists * (vector_bytes + Calibrator::kBytesPerNearQuery) +
                          2 * of_lists,
                      6u * 1024 * 1024)
                << vector_bytes << " " << list_count;
        }
    EXPECT_EQ(upkeep_query_counts(512, 1000000, 1000).all_rows, 134u);
    EXPECT_EQ(upkeep_query_counts(512, 1000000, 1000).near_lists, 680u);
    EXPECT_EQ(upkeep_query_counts(512, 10000, 100).all_rows, 256u);
    EXPECT_EQ(upkeep_query_counts(512, 10000, 100).near_lists, 450u);
    EXPECT_LT(upkeep_query_counts(64000, 1000000, 1000).near_lists, 50u);
}

}  // namespace
}  // namespace lookalike

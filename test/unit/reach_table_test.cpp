#include "core/measure/reach_table.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/search/probe_plan.h"

namespace lookalike {
namespace {

constexpr float kUnreachable = std::numeric_limits<float>::max();

// Two lists at once, up to eight, for every recall.
constexpr ByRecall<uint32_t> kEight = {8, 8, 8, 8, 8, 8, 8, 8};

// Of a hundred rows so many are in the first lists; the reaches of the others, in the list with
// this rank, are 1, 2, 3 ...
ReachedRows hundred_rows(uint32_t in_first, uint32_t rank) {
    ReachedRows rows(in_first, {-1, 0});
    for (float reach = 1; rows.size() < 100; ++reach)
        rows.push_back({reach, rank});
    return rows;
}

TEST(ReachTable, TheSpreadOfTheTests) {
    EXPECT_EQ(spread_at(kEight, 0.9).first, 2);
    EXPECT_EQ(spread_at(kEight, 0.9).most, 8);
}

TEST(ReachTable, WhatTheFirstListsLackComesFromThoseThatReach) {
    const ByRecall<float> reach =
        reach_within_spread(hundred_rows(80, 5), hundred_rows(80, 5), kEight);
    EXPECT_EQ(reach[7], 20);  // 99.9 of them
    EXPECT_EQ(reach[5], 19);
    EXPECT_EQ(reach[4], 18);
    EXPECT_EQ(reach[2], 10);
    // The first lists have 80: of the others the least.
    EXPECT_EQ(reach[1], 1);
    EXPECT_EQ(reach[0], 1);
}

TEST(ReachTable, NoReachIsEnoughWhereTheSpreadIsTooNarrow) {
    const ByRecall<float> reach =
        reach_within_spread(hundred_rows(85, 8), hundred_rows(85, 8), kEight);
    EXPECT_EQ(reach[2], kUnreachable);
    // Nothing is in question here: as for the next recall.
    EXPECT_EQ(reach[1], kUnreachable);
    const ByRecall<float> of_nothing = reach_within_spread({}, {}, kEight);
    EXPECT_EQ(of_nothing[0], kUnreachable);
}

TEST(ReachTable, FullQueriesDecideHighRecalls) {
    const ByRecall<float> reach =
        reach_within_spread(hundred_rows(98, 5), hundred_rows(80, 5), kEight);
    EXPECT_EQ(reach[4], 1);   // 0.98
    EXPECT_EQ(reach[5], 19);  // 0.99
    const ByRecall<float> harder =
        reach_within_spread(hundred_rows(80, 5), hundred_rows(98, 5), kEight);
    EXPECT_EQ(harder[5], 19);
}

// 101 rows with the reaches 100, 99 ... 0.
ReachedRows falling_rows(uint32_t rank) {
    ReachedRows rows;
    for (int reach = 100; reach >= 0; --reach)
        rows.push_back({static_cast<float>(reach), rank});
    return rows;
}

TEST(ReachTable, AloneTheHardestOfTwoFiltersDecides) {
    LeftRows left;
    left[0] = falling_rows(9);
    EXPECT_LT(reach_alone(left)[7], 0);  // it leaves too many to be asked
    left[kSparseFilter] = {{7, 9}};
    EXPECT_EQ(reach_alone(left)[0], 7);
    EXPECT_EQ(reach_alone(left)[7], 7);
    left[kFarFilter] = falling_rows(9);
    EXPECT_EQ(reach_alone(left)[0], 50);
    EXPECT_EQ(reach_alone(left)[1], 81);
    EXPECT_EQ(reach_alone(left)[7], 100);
}

TEST(ReachTable, BesidesTheSpreadOnlyWhatItLeavesClosedNeedsReach) {
    const ByRecall<float> within = {30, 30, 30, 30, 30, 30, 30, 30};
    LeftRows left;
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[0], kUnreachable);
    left[1] = falling_rows(1);  // all in the first lists
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[7], 0);
    left[1] = falling_rows(5);
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[0], 50);
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[7], 100);
    // Half of them may be missed, and the 30 others that a spread leaves closed are fewer.
    left[1].resize(30);
    left[1].resize(101, {0, 1});
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[0], 0);
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[1], 81);
    // What is far is no business of the spread's, but gives the least.
    left[kFarFilter] = {{200, 9}, {-3, 9}};
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[0], -3);
    EXPECT_EQ(reach_besides_spread(left, kEight, within)[1], 81);
}

}  // namespace
}  // namespace lookalike

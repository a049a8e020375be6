#include "core/measure/probe_table.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(ProbeTable, CountsTheFirstListsThatHoldAShare) {
    const RowsByRank rows = {5, 0, 3, 2};
    EXPECT_EQ(lists_with(rows, 0.1), 1u);
    EXPECT_EQ(lists_with(rows, 0.5), 1u);
    EXPECT_EQ(lists_with(rows, 0.51), 3u);
    EXPECT_EQ(lists_with(rows, 0.8), 3u);
    EXPECT_EQ(lists_with(rows, 0.81), 4u);
    EXPECT_EQ(lists_with(rows, 1), 4u);
    EXPECT_EQ(lists_with({0, 0, 0}, 0.9), 1u);
    EXPECT_EQ(lists_with({}, 0.9), 1u);
}

TEST(ProbeTable, MoreRowsNeverTakeFewerLists) {
    const RowsByRank ten = {500, 0, 0, 500};
    const RowsByRank hundred = {600, 400, 0, 0};
    const RowsByRank thousand = {850, 0, 0, 150};
    const ProbeTable table = probe_table({ten, hundred, thousand}, ten);
    for (const ByRecall<uint32_t>& lists : table) {
        EXPECT_EQ(lists[0], 1u);
        for (uint32_t j = 1; j < kCalibratedRecallCounts; ++j)
            EXPECT_EQ(lists[j], 4u);
    }
    const ProbeTable growing = probe_table({hundred, thousand, ten}, hundred);
    EXPECT_EQ(growing[0][1], 2u);
    EXPECT_EQ(growing[1][1], 2u);
    EXPECT_EQ(growing[1][2], 4u);
    EXPECT_EQ(growing[2][1], 4u);
}

// From 0.99 on they are believed only where they ask for more.
TEST(ProbeTable, QueriesOfNearListsCountOnlyUpwardsForHighRecalls) {
    const RowsByRank full = {900, 0, 0, 100};
    const RowsByRank all = {9990, 0, 0, 10};
    const ProbeTable table = probe_table({all, {}, {}}, full);
    EXPECT_EQ(table[0][4], 1u);  // 0.98
    EXPECT_EQ(table[0][5], 4u);  // 0.99
    const ProbeTable harder = probe_table({full, {}, {}}, all);
    EXPECT_EQ(harder[0][4], 4u);
    EXPECT_EQ(harder[0][5], 4u);
}

}  // namespace
}  // namespace lookalike

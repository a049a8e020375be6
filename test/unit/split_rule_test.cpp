#include "core/split/split_rule.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(SplitRule, OneListIsSplitWhereABuildMakesSeveral) {
    EXPECT_EQ(most_entries(1), kRowsOfOneList);
    EXPECT_EQ(wanted_list_count(kRowsOfOneList), 1u);
    EXPECT_GT(wanted_list_count(kRowsOfOneList + 1), 1u);
}

TEST(SplitRule, ShortListsAreLeftAlone) {
    EXPECT_EQ(most_entries(2), 64u);
    EXPECT_EQ(most_entries(42), 64u);
    EXPECT_GT(most_entries(43), 63u);
    EXPECT_EQ(most_entries(1000), 1500u);
}

// Each list is split when it is full: whatever the number of rows, that of the lists stays near
// that of a build.
TEST(SplitRule, ListsKeepUpWithRows) {
    for (uint64_t lists : {71u, 500u, 5000u}) {
        const uint64_t first = lists * lists;
        for (uint64_t rows = first; rows < 100 * first; rows += rows / 50) {
            while (rows / lists > most_entries(lists) * 3 / 4)
                ++lists;
            const auto built = static_cast<double>(wanted_list_count(rows));
            EXPECT_GT(static_cast<double>(lists), 0.8 * built) << rows;
            EXPECT_LT(static_cast<double>(lists), 1.4 * built) << rows;
        }
    }
}

TEST(SplitRule, AListHasTheSquareRootOfAllRows) {
    EXPECT_EQ(wanted_entries(0), 0u);
    EXPECT_EQ(wanted_entries(1000000), 1000u);
    // Lists of half the most are long enough to be left alone.
    EXPECT_GT(most_entries(1000) / 2, wanted_entries(1000000) / 4);
}

}  // namespace
}  // namespace lookalike

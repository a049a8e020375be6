#include "core/votes/vote_cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/votes/vote_plan.h"

namespace lookalike {
namespace {

constexpr Prices kPrices{.random_page = 4,
                         .sequential_page = 1,
                         .operator_call = 0.0025,
                         .index_tuple = 0.005,
                         .distance_startup = 0,
                         .distance = 0.5};

constexpr VoteWork kWork{.list_count = 1000,
                         .effort = {.lists_per_feature = 1, .patience = 64},
                         .entries = 1e6,
                         .pages = 4000,
                         .rows = 5000,
                         .given_rows = 5000,
                         .kept_share = 1,
                         .ends_at_sphere = false,
                         .loop_count = 1};

void expect_sound(const VoteWork& work) {
    const SearchCost cost = vote_cost(work, kPrices);
    EXPECT_TRUE(std::isfinite(cost.startup));
    EXPECT_TRUE(std::isfinite(cost.total));
    EXPECT_GT(cost.startup, 0);
    EXPECT_GE(cost.total, cost.startup);
}

VoteWork with_lists(double lists) {
    VoteWork work = kWork;
    work.list_count = lists;
    work.entries = lists * lists;
    work.pages = lists * lists / 250;
    return work;
}

VoteWork sphere(double rows) {
    VoteWork work = kWork;
    work.ends_at_sphere = true;
    work.given_rows = rows;
    return work;
}

TEST(VoteCost, GrowsWithTheIndex) {
    double before = 0;
    for (const double lists : {1.0, 10.0, 100.0, 1000.0, 10000.0}) {
        expect_sound(with_lists(lists));
        const double cost = vote_cost(with_lists(lists), kPrices).startup;
        EXPECT_GT(cost, before) << lists;
        before = cost;
    }
}

TEST(VoteCost, GrowsWithTheListsOfAFeature) {
    double before = 0;
    for (const double recall : {0.9, 0.95, 0.98, 0.99}) {
        VoteWork work = kWork;
        work.effort = vote_effort(recall, 0);
        const double cost = vote_cost(work, kPrices).startup;
        EXPECT_GT(cost, before) << recall;
        before = cost;
    }
}

TEST(VoteCost, ProbesSayHowManyListsAreRead) {
    EXPECT_EQ(vote_effort(0.95, 0).lists_per_feature, 2u);
    EXPECT_EQ(vote_effort(0.95, 5).lists_per_feature, 5u);
    EXPECT_EQ(vote_effort(0.95, 5).patience, vote_effort(0.95, 0).patience);
    EXPECT_EQ(vote_effort(0.99, 65536).lists_per_feature, kMostListsPerFeature);
}

TEST(VoteCost, NoMoreListsAreReadThanThereAre) {
    VoteWork work = kWork;
    work.list_count = 100;
    work.entries = 0;
    const double all = vote_cost(work, kPrices).startup;
    work.effort.lists_per_feature = 8;
    EXPECT_DOUBLE_EQ(vote_cost(work, kPrices).startup, all);
}

TEST(VoteCost, GrowsWithTheRowsThatAreGiven) {
    VoteWork work = kWork;
    double before = 0;
    for (const double rows : {0.0, 1.0, 1000.0, 1e6}) {
        work.given_rows = rows;
        expect_sound(work);
        const SearchCost cost = vote_cost(work, kPrices);
        EXPECT_DOUBLE_EQ(cost.startup, vote_cost(kWork, kPrices).startup);
        EXPECT_GT(cost.total, before) << rows;
        before = cost.total;
    }
    // Few rows are few comparisons.
    work.rows = 10;
    EXPECT_LT(vote_cost(work, kPrices).startup, vote_cost(kWork, kPrices).startup);
}

TEST(VoteCost, ASphereLooksFartherAndEnds) {
    for (const double rows : {1.0, 100.0, 5000.0}) {
        VoteWork to_the_end = sphere(rows);
        to_the_end.ends_at_sphere = false;
        const SearchCost cost = vote_cost(sphere(rows), kPrices);
        const SearchCost other = vote_cost(to_the_end, kPrices);
        EXPECT_GT(cost.startup, other.startup);
        EXPECT_LT(cost.total - cost.startup, other.total - other.startup) << rows;
        expect_sound(sphere(rows));
    }
}

TEST(VoteCost, RowsThatAreThrownAwayCost) {
    VoteWork work = kWork;
    work.kept_share = 0.1;
    EXPECT_GT(vote_cost(work, kPrices).total, vote_cost(kWork, kPrices).total);
    work.kept_share = 0;
    expect_sound(work);
}

TEST(VoteCost, SearchesThatFollowFindThePagesInTheCache) {
    VoteWork work = kWork;
    work.loop_count = 100;
    EXPECT_LT(vote_cost(work, kPrices).startup, vote_cost(kWork, kPrices).startup);
    expect_sound(work);
}

TEST(VoteCost, OfNothingIsANumber) {
    VoteWork work = kWork;
    work.rows = work.given_rows = work.entries = work.pages = 0;
    expect_sound(work);
    work.list_count = 0;
    expect_sound(work);
    work.kept_share = 0;
    work.ends_at_sphere = true;
    expect_sound(work);
}

}  // namespace
}  // namespace lookalike

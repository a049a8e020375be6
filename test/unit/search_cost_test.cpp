#include "core/search/search_cost.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

constexpr IndexSize kIndex{.pages = 10000, .rows = 100000};

// PostgreSQL's defaults, but for pages that cost the same wherever they lie.
constexpr Prices kPrices{.random_page = 1,
                         .sequential_page = 1,
                         .operator_call = 0.0025,
                         .index_tuple = 0.005,
                         .distance_startup = 0,
                         .distance = 0.01};

constexpr SearchDemand kNearest{.wanted_share = 1,
                                .given_rows = 100000,
                                .kept_share = 1,
                                .ends_at_sphere = false,
                                .sphere_rows = 100000,
                                .loop_count = 1};

constexpr SearchWork kWork{
    .all_lists = 300, .first_lists = 30, .last_lists = 60, .refined_entries = 150};

SearchDemand sphere_of(double rows) {
    SearchDemand demand = kNearest;
    demand.ends_at_sphere = true;
    demand.given_rows = demand.sphere_rows = rows;
    return demand;
}

TEST(SearchCost, TheFirstRowsCostTheirListsAndWhatTheExecutorCompares) {
    // A tenth of 3,500 list pages, 150 pages and visits of refined entries, 10,000 entries scanned,
    // 30 distances.
    const double expected = 350 + 150 + 150 * 50 * 0.0025 + 10000 * 0.00025 + 30 * 0.01;
    EXPECT_DOUBLE_EQ(search_cost(kWork, kIndex, kNearest, kPrices).startup, expected);
    // Few rows to come are few distances.
    SearchDemand few = kNearest;
    few.given_rows = 5;
    EXPECT_DOUBLE_EQ(search_cost(kWork, kIndex, few, kPrices).startup, expected - 25 * 0.01);
    Prices random = kPrices;
    random.random_page = 4;
    EXPECT_DOUBLE_EQ(search_cost(kWork, kIndex, kNearest, random).startup, expected + 30 * 3);
}

TEST(SearchCost, AllRowsCostTheRestOfTheIndexAndAVisitForEach) {
    const SearchCost cost = search_cost(kWork, kIndex, kNearest, kPrices);
    const double rest = (10000 - 350) + 100000 * 0.00025;
    const double of_row = 10 * 50 * 0.0025 + 0.005 + 0.01;
    EXPECT_DOUBLE_EQ(cost.total, cost.startup + rest + 100000 * of_row);
}

TEST(SearchCost, RowsThatAreThrownAwayCountUpToFiveTimes) {
    SearchDemand demand = kNearest;
    demand.given_rows = 1000;
    const SearchCost all = search_cost(kWork, kIndex, demand, kPrices);
    demand.kept_share = 0.25;
    const SearchCost some = search_cost(kWork, kIndex, demand, kPrices);
    EXPECT_DOUBLE_EQ(some.startup, all.startup);
    const double of_row = 10 * 50 * 0.0025 + 0.005 + 0.01;
    EXPECT_NEAR(some.total - all.total, 1000 * 3 * of_row, 1e-9);
}

TEST(SearchCost, ASphereCostsTheListsUpToItsEnd) {
    const SearchDemand sphere = sphere_of(500);
    const SearchCost cost = search_cost(kWork, kIndex, sphere, kPrices);
    const double of_row = 10 * 50 * 0.0025 + 0.005 + 0.01;
    const double rest = 350 + 500 + 500 * 50 * 0.0025 + 10000 * 0.00025;
    EXPECT_NEAR(cost.total, cost.startup + rest + 500 * of_row, 1e-9);
    EXPECT_LT(cost.total, search_cost(kWork, kIndex, kNearest, kPrices).total);
    // No more is refined than there is.
    const IndexSize small{.pages = 100, .rows = 160};
    SearchWork all_at_once = kWork;
    all_at_once.all_lists = all_at_once.first_lists = all_at_once.last_lists = 1;
    const SearchCost whole = search_cost(all_at_once, small, sphere_of(160), kPrices);
    EXPECT_NEAR(whole.total - whole.startup, 10 * 50 * 0.0025 + 160 * of_row, 1e-9);
}

TEST(SearchCost, ALoopFindsPagesInTheCache) {
    SearchDemand loop = kNearest;
    loop.loop_count = 100;
    const double once = search_cost(kWork, kIndex, kNearest, kPrices).startup;
    EXPECT_NEAR(once - search_cost(kWork, kIndex, loop, kPrices).startup, 500 * 0.9, 1e-9);
}

Calibration measured() {
    Calibration calibration{};
    calibration.query_count = 1;
    calibration.list_count = 300;
    calibration.probes[0].fill(20);
    calibration.probes[1].fill(40);
    calibration.probes[2].fill(80);
    return calibration;
}

TEST(SearchCost, WorkIsWhatThePlanOpens) {
    const ProbePlan plan(measured(), 0.9);
    const SearchWork work = expected_work(plan, 0.5, 300, false, kIndex, sphere_of(1030));
    EXPECT_EQ(work.all_lists, 300);
    EXPECT_DOUBLE_EQ(work.first_lists, 20);
    EXPECT_DOUBLE_EQ(work.last_lists, 80);
    EXPECT_EQ(work.refined_entries, 150);
    SearchDemand filtered = kNearest;
    filtered.wanted_share = 0.1;  // ten among a hundred
    EXPECT_DOUBLE_EQ(expected_work(plan, 0.5, 300, false, kIndex, filtered).first_lists, 40);
    filtered.wanted_share = 0;
    EXPECT_EQ(expected_work(plan, 0.5, 300, false, kIndex, filtered).first_lists, 300);
    // No sphere ends before the first lists have been opened.
    SearchDemand filtered_sphere = sphere_of(0);
    filtered_sphere.wanted_share = 0.1;
    EXPECT_DOUBLE_EQ(expected_work(plan, 0.5, 300, false, kIndex, filtered_sphere).last_lists, 40);
}

TEST(SearchCost, WorkOfASpreadIsWhatAMeanQueryOpens) {
    Calibration calibration = measured();
    calibration.reach_within.fill(1);
    const ProbePlan plan(calibration, 0.9);
    ASSERT_EQ(plan.spread_for(1).first, 5);
    ASSERT_EQ(plan.spread_for(1).most, 20);
    for (const double share : {0.0, 0.5, 0.8, 1.0}) {
        const SearchWork work = expected_work(plan, share, 300, false, kIndex, kNearest);
        EXPECT_DOUBLE_EQ(work.first_lists, 5 + share * 15);
    }
}

TEST(SearchCost, WorkOfOneListIsItsRefinedEntries) {
    EXPECT_EQ(work_of_one_list(kIndex).refined_entries, 150);
    EXPECT_EQ(work_of_one_list(kIndex).first_lists, 1);
    EXPECT_EQ(work_of_one_list({.pages = 3, .rows = 20}).refined_entries, 20);
    SearchDemand filtered = kNearest;
    filtered.wanted_share = 0.5;
    const SearchWork exhaustive = expected_work(ProbePlan(1), 0.5, 1, true, kIndex, filtered);
    EXPECT_EQ(exhaustive.refined_entries, 50000);
    EXPECT_EQ(exhaustive.first_lists, 1);
}

}  // namespace
}  // namespace lookalike

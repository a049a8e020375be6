#include "core/search/probe_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "measured_noise.h"

namespace lookalike {
namespace {

TEST(ProbePlan, APlanGrowsWithRecallAndRows) {
    const Calibration calibration = measure_noise();
    const ProbePlan usual(calibration, 0.95);
    const ProbePlan careful(calibration, 0.99);
    EXPECT_GE(usual.lists_for(1), calibration.probes[0][3]);
    EXPECT_LE(usual.lists_for(1), calibration.probes[0][4]);
    EXPECT_GE(careful.lists_for(1), usual.lists_for(1));
    EXPECT_EQ(usual.lists_for(1), usual.lists_for(40));
    EXPECT_GE(usual.lists_for(1030), usual.lists_for(130));
    EXPECT_GE(usual.lists_for(130), usual.lists_for(1));
    EXPECT_EQ(ProbePlan(calibration, 1).lists_for(1), 40);
    // A tenth of the rows: ten of them are among the nearest hundred.
    EXPECT_GT(usual.lists_for(1, 0.1), usual.lists_for(1));
    EXPECT_DOUBLE_EQ(usual.lists_for(1, 0.1), usual.lists_for(130));
    EXPECT_GE(usual.lists_for(1, 0.01), usual.lists_for(1, 0.1));
}

TEST(ProbePlan, AFartherListReachesLess) {
    for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
        for (const float row_key : {0.1f, 1.0f, 5.0f, 20.0f}) {
            float before = -std::numeric_limits<float>::infinity();
            for (float list_key = 0.01f; list_key < 40; list_key *= 1.3f) {
                const float reach = list_reach(metric, list_key, row_key, 4);
                EXPECT_GE(reach, before) << list_key << " " << row_key;
                before = reach;
            }
        }
    }
    // A row at a right angle needs nothing; one behind the centroid less than that.
    EXPECT_FLOAT_EQ(list_reach(Metric::kL2, 9, 13, 4), 0);
    EXPECT_FLOAT_EQ(list_reach(Metric::kL2, 9, 25, 4), -1);
    EXPECT_FLOAT_EQ(list_reach(Metric::kL2, 9, 1, 4), 1);
}

TEST(ProbePlan, APlanReachesFurtherForMoreRecall) {
    const Calibration calibration = measure_noise();
    EXPECT_GT(calibration.residual, 0);
    for (uint32_t j = 1; j < kCalibratedRecallCounts; ++j)
        EXPECT_GE(calibration.reach[j], calibration.reach[j - 1]);
    const float row_key = 2;
    const auto farthest = [&](const ProbePlan& plan) {
        float list_key = 0;
        while (list_key < 1000 && plan.may_reach(Metric::kL2, list_key, row_key, 1))
            list_key += 0.05f;
        return list_key;
    };
    EXPECT_GT(farthest(ProbePlan(calibration, 0.95)), 0);
    EXPECT_GT(farthest(ProbePlan(calibration, 0.99)), farthest(ProbePlan(calibration, 0.8)));
    EXPECT_GE(farthest(ProbePlan(calibration, 1)), 1000);
    ProbePlan by_number(calibration, 0.95);
    by_number.start_with(3);
    EXPECT_EQ(farthest(by_number), 0);
    EXPECT_EQ(farthest(ProbePlan(5)), 0);
}

TEST(ProbePlan, ASettingKeepsTheShape) {
    ProbePlan plan(measure_noise(), 0.95);
    const double ratio = plan.lists_for(1030) / plan.lists_for(1);
    plan.start_with(7);
    EXPECT_DOUBLE_EQ(plan.lists_for(1), 7);
    EXPECT_NEAR(plan.lists_for(1030) / plan.lists_for(1), ratio, 1e-9);
    EXPECT_DOUBLE_EQ(ProbePlan(5).lists_for(10), 5);
    EXPECT_GT(ProbePlan(5).lists_for(1000), 5);
}

TEST(ProbePlan, ASpreadIsWiderThanItsRecall) {
    const ByRecall<uint32_t> lists = {2, 4, 8, 12, 30, 50, 60, 100};
    for (const double recall : kCalibratedRecalls) {
        const SpreadOfLists spread = spread_at(lists, recall);
        EXPECT_EQ(spread.most, std::ceil(at_recall(lists, 1 - 0.6 * (1 - recall))));
        EXPECT_GE(spread.most, at_recall(lists, recall));
        EXPECT_LE(spread.first, std::ceil(spread.most / 4));
        EXPECT_GE(spread.first, 1);
    }
    EXPECT_EQ(spread_at({}, 0.9).most, 1);
}

TEST(ProbePlan, ASpreadIsForTheFirstRows) {
    const ProbePlan plan(measure_noise(), 0.95);
    ASSERT_TRUE(plan.has_spread());
    for (const double rows : {1.0, 40.0, 50.0}) {
        EXPECT_LT(plan.spread_for(rows).first, plan.spread_for(rows).most) << rows;
        EXPECT_GE(plan.spread_for(rows).most, plan.lists_for(rows)) << rows;
    }
    // Later, half of what was measured for so many; the ten among more than twenty are as later
    // rows.
    for (const auto& [rows, share] : {std::pair{51.0, 1.0}, {1000.0, 1.0}, {1.0, 0.49}}) {
        EXPECT_EQ(plan.spread_for(rows, share).first, plan.lists_for(rows, share) / 2);
        EXPECT_EQ(plan.spread_for(rows, share).most, plan.lists_for(rows, share));
    }
    EXPECT_GE(plan.spread_for(1, 0.5).most, plan.lists_for(1, 0.5));
    ProbePlan by_number = plan;
    by_number.give_up_spread();
    EXPECT_EQ(by_number.spread_for(51).first, plan.lists_for(51));
}

TEST(ProbePlan, AQueryUnlikeTheRowsAndALateRowAreFar) {
    Calibration calibration = measure_noise();
    const ProbePlan plan(calibration, 0.95);
    const float usual = calibration.residual;
    for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kHamming}) {
        EXPECT_EQ(plan.far_of_query(metric, 0), 0);
        EXPECT_EQ(plan.far_of_query(metric, 1.4f * usual), 0);
        EXPECT_GT(plan.far_of_query(metric, 2 * usual), 0);
        EXPECT_NEAR(plan.far_of_query(metric, 4 * usual), 1, 1e-5);
        EXPECT_GT(plan.far_of_query(metric, 100 * usual), 2);
    }
    EXPECT_EQ(plan.far_of_query(Metric::kInnerProduct, -usual), 0);
    EXPECT_EQ(plan.far_of_query(Metric::kInnerProduct, -2 * usual), 0);
    EXPECT_NEAR(plan.far_of_query(Metric::kInnerProduct, -0.6f * usual), 1, 1e-5);
    EXPECT_GT(plan.far_of_query(Metric::kInnerProduct, usual), 2);
    // Keys of at most 1 tell nothing.
    EXPECT_EQ(plan.far_of_query(Metric::kJaccard, 1), 0);
    EXPECT_EQ(plan.far_of_row(1), 0);
    // LIMIT 1000 wants what was measured around the query.
    EXPECT_EQ(plan.far_of_row(1000), 0);
    EXPECT_GT(plan.far_of_row(2000), 0);
    EXPECT_LT(plan.far_of_row(2000), plan.far_of_row(5000));
    EXPECT_EQ(plan.far_of_row(10000), 1);
    EXPECT_EQ(plan.far_of_row(100000), 1);
    EXPECT_FALSE(plan.goes_beyond(50));
    EXPECT_TRUE(plan.goes_beyond(51));
    ProbePlan by_number = plan;
    by_number.start_with(5);
    EXPECT_FALSE(by_number.goes_beyond(51));
    EXPECT_EQ(by_number.far_of_query(Metric::kL2, 100 * usual), 0);
    EXPECT_EQ(by_number.far_of_row(10000), 0);
}

TEST(ProbePlan, WhatIsFartherReachesFurther) {
    Calibration calibration = measure_noise();
    std::ranges::fill(calibration.reach_besides, 0.25f);
    std::ranges::fill(calibration.reach, 0.75f);
    calibration.residual = 1;
    const ProbePlan plan(calibration, 0.95);
    const auto reach = [&](double far) {
        float list_key = 1;
        while (plan.may_reach(Metric::kL2, list_key, 1, far))
            list_key += 0.001f;
        return list_reach(Metric::kL2, list_key, 1, 1);
    };
    EXPECT_NEAR(reach(0), 0.5, 0.01);  // at a list_key of 1
    EXPECT_NEAR(reach(0.6), 0.55, 0.01);
    EXPECT_NEAR(reach(1), 0.75, 0.01);
    EXPECT_NEAR(reach(3), 0.75 * 1.14, 0.01);
}

TEST(ProbePlan, PartsOfListsAreOpenedInThePlaceOfTheirList) {
    const ProbePlan measured(measure_noise(), 0.95);
    ProbePlan plan = measured;
    plan.expect_lists(40, 60);
    for (const double rows : {1.0, 130.0, 1030.0, 5000.0})
        for (const double share : {1.0, 0.1})
            EXPECT_DOUBLE_EQ(plan.lists_for(rows, share), 1.5 * measured.lists_for(rows, share));
    EXPECT_TRUE(plan.has_spread());
    EXPECT_TRUE(plan.has_reach());
    EXPECT_GE(plan.spread_for(1).most, 1.5 * measured.spread_for(1).most - 1);
    // Fewer lists hold no less each, and where nothing was measured nothing is known.
    for (const auto& [before, now] : {std::pair{40u, 40u}, {40u, 39u}, {40u, 1u}, {0u, 60u}}) {
        ProbePlan same = measured;
        same.expect_lists(before, now);
        EXPECT_EQ(same.lists_for(1), measured.lists_for(1)) << before << " " << now;
    }
    // Who asks for a number gets it.
    plan.start_with(7);
    EXPECT_DOUBLE_EQ(plan.lists_for(1), 7);
}

MetaPage page_with(const Calibration& calibration, Metric metric, Refine refine) {
    MetaPage meta{};
    meta.metric = metric;
    meta.refine = refine;
    set_calibration(&meta, calibration);
    return meta;
}

TEST(ProbePlan, AnIndexAndASessionMakeThePlanOfAScan) {
    const Calibration calibration = measure_noise();
    const MetaPage usual = page_with(calibration, Metric::kL2, Refine::kInt8);
    const ProbePlan expected(calibration, 0.95);
    const ProbePlan plan = probe_plan(usual, 0.95, 0);
    EXPECT_EQ(plan.lists_for(500), expected.lists_for(500));
    EXPECT_EQ(plan.spread_for(1).first, expected.spread_for(1).first);
    EXPECT_TRUE(plan.has_spread());
    EXPECT_TRUE(plan.has_reach());

    const ProbePlan by_number = probe_plan(usual, 0.95, 7);
    EXPECT_DOUBLE_EQ(by_number.lists_for(1), 7);
    EXPECT_FALSE(by_number.has_spread());
    EXPECT_FALSE(by_number.has_reach());

    MetaPage grown = usual;
    grown.leaf_count = 2 * calibration.list_count;
    EXPECT_DOUBLE_EQ(probe_plan(grown, 0.95, 0).lists_for(500), 2 * expected.lists_for(500));
    EXPECT_DOUBLE_EQ(probe_plan(grown, 0.95, 7).lists_for(1), 7);

    // Estimates are too low, but the keys of bits are exact.
    EXPECT_FALSE(
        probe_plan(page_with(calibration, Metric::kL2, Refine::kNone), 0.95, 0).has_spread());
    EXPECT_TRUE(
        probe_plan(page_with(calibration, Metric::kHamming, Refine::kNone), 0.95, 0).has_spread());

    // The few lists of the first split are all opened until they have been measured.
    MetaPage split{};
    split.leaf_count = 70;
    const ProbePlan unmeasured = probe_plan(split, 0.95, 0);
    EXPECT_EQ(unmeasured.lists_for(1), 70);
    EXPECT_FALSE(unmeasured.has_spread());
    EXPECT_FALSE(unmeasured.has_reach());
}

// A damaged page that somebody has sealed may say that it measured no list.
TEST(ProbePlan, OpensAListWhateverWasMeasured) {
    Calibration calibration{};
    calibration.query_count = 1;
    for (const double recall : {0.5, 0.95, 1.0}) {
        for (const double rows : {1.0, 100.0, 5000.0})
            EXPECT_GE(ProbePlan(calibration, recall).lists_for(rows), 1) << recall << " " << rows;
    }
}

}  // namespace
}  // namespace lookalike

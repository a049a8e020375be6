#include "core/vector/metric.h"

#include <gtest/gtest.h>

#include <random>

namespace lookalike {
namespace {

// Index pages have them.
TEST(Metric, NumbersStay) {
    EXPECT_EQ(static_cast<int>(Metric::kL2), 0);
    EXPECT_EQ(static_cast<int>(Metric::kInnerProduct), 1);
    EXPECT_EQ(static_cast<int>(Metric::kCosine), 2);
    EXPECT_EQ(static_cast<int>(Metric::kHamming), 3);
    EXPECT_EQ(static_cast<int>(Metric::kJaccard), 4);
}

TEST(Metric, KeysBecomeDistances) {
    EXPECT_EQ(key_to_distance(Metric::kL2, 9), 3);
    EXPECT_EQ(key_to_distance(Metric::kL2, -1e-9), 0);
    EXPECT_EQ(key_to_distance(Metric::kInnerProduct, -9), -9);
    EXPECT_EQ(key_to_distance(Metric::kCosine, 0.5), 0.25);
    EXPECT_EQ(key_to_distance(Metric::kCosine, -0.5), 0);
    EXPECT_EQ(key_to_distance(Metric::kHamming, 7), 7);
    EXPECT_EQ(key_to_distance(Metric::kJaccard, 0.25), 0.25);
}

TEST(Metric, DistancesBecomeTheirKeys) {
    for (const double distance : {0.0, 0.25, 3.0}) {
        for (uint32_t i = 0; i < kMetricCount; ++i) {
            const auto metric = static_cast<Metric>(i);
            EXPECT_EQ(key_to_distance(metric, distance_to_key(metric, distance)), distance);
        }
    }
    EXPECT_EQ(distance_to_key(Metric::kL2, 3), 9);
    EXPECT_EQ(distance_to_key(Metric::kInnerProduct, -3), -3);
}

TEST(Metric, RoundingNeverCrossesTheValue) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    for (int i = 0; i < 100000; ++i) {
        const double value = normal(random) * std::pow(10, normal(random) * 10);
        const float down = round_down(value);
        const float up = round_up(value);
        EXPECT_LE(down, value);
        EXPECT_GE(up, value);
        EXPECT_LE(up, std::nextafter(down, std::numeric_limits<float>::infinity()));
    }
    EXPECT_EQ(round_down(0.5), 0.5f);
    EXPECT_EQ(round_up(1e300), std::numeric_limits<float>::infinity());
    EXPECT_EQ(round_down(1e300), std::numeric_limits<float>::max());
}

}  // namespace
}  // namespace lookalike

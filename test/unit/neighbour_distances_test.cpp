#include "core/measure/neighbour_distances.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/measure/calibrator.h"
#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

// Places on a line: twice the radius lies within it, and half or double that is near enough.
TEST(NeighbourDistances, CountsWhatLiesWithinADistance) {
    constexpr int kRows = 20000;
    std::mt19937 random(5);
    std::vector<float> rows(kRows);
    for (float& row : rows)
        row = std::uniform_real_distribution<float>(0, kRows)(random);
    Calibrator calibrator(Metric::kL2, 1);
    for (int i = 0; i < 100; ++i)
        calibrator.add_query(&rows[i * 7]);
    const float centroids[] = {5000, 15000};
    calibrator.set_lists(centroids, 2);
    for (const float& row : rows)
        calibrator.observe(&row, row < kRows / 2 ? 0 : 1);
    const Calibration calibration = calibrator.measure();
    for (const double radius : {2.0, 5.0, 20.0, 50.0, 200.0, 500.0, 2000.0, 5000.0}) {
        const double within = share_within(calibration, radius) * kRows;
        EXPECT_GT(within, radius) << radius;
        EXPECT_LT(within, radius * 4) << radius;
    }
    double before = 0;
    for (double radius = 0; radius < 2 * kRows; radius += 37) {
        const double share = share_within(calibration, radius);
        EXPECT_GE(share, before);
        before = share;
    }
    EXPECT_EQ(before, 1);
    EXPECT_EQ(share_within(calibration, std::numeric_limits<double>::infinity()), 1);
    EXPECT_EQ(share_within(calibration, -1), 1.0 / kRows);
    EXPECT_EQ(share_within(Calibration{}, 5), 0);
}

// A page that was sealed with them: the planner is to get a share all the same.
TEST(NeighbourDistances, WhatIsNoNumberIsNotAnswered) {
    const float strange[] = {std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity()};
    Calibration sound{};
    sound.row_count = 20000;
    sound.rank_distance = {1, 2, 3, 4};
    sound.share_distance = {5, 6, 7, 8, 9, 10, 11, 12};
    for (const float value : strange) {
        // Each place by itself, and all from the first to it.
        for (uint32_t last = 0; last < kCalibratedRankCount + kCalibratedShareCount; ++last) {
            for (const uint32_t first : {0u, last}) {
                Calibration faulty = sound;
                for (uint32_t i = first; i <= last; ++i) {
                    if (i < kCalibratedRankCount) {
                        faulty.rank_distance[i] = value;
                    } else {
                        faulty.share_distance[i - kCalibratedRankCount] = value;
                    }
                }
                double before = 0;
                for (double distance = -1; distance < 14; distance += 0.25) {
                    const double share = share_within(faulty, distance);
                    ASSERT_GE(share, before) << value << " up to " << last << " at " << distance;
                    ASSERT_LE(share, 1);
                    const DistanceCurve curve(faulty, Metric::kL2);
                    ASSERT_GE(curve.expected_share(distance), 0);
                    ASSERT_LE(curve.expected_share(distance), share);
                    before = share;
                }
            }
        }
    }
}

TEST(NeighbourDistances, DistancesAreThoseOfSql) {
    constexpr uint32_t kDimensions = 64;
    std::mt19937 random(9);
    std::normal_distribution<float> normal(1, 1);
    std::vector<std::vector<float>> rows(3000, std::vector<float>(kDimensions));
    std::vector<float> mean(kDimensions);
    for (std::vector<float>& row : rows)
        for (float& x : row)
            x = normal(random);
    for (float& x : mean)
        x = normal(random);
    // The mean's own part of a product must not be missing.
    const IndexSpace space(Metric::kInnerProduct, kDimensions, 1, mean);
    Calibrator products(Metric::kInnerProduct, space.padded_dims());
    Calibrator bits(Metric::kHamming, kDimensions);
    std::vector<float> in_space(space.padded_dims());
    std::vector<double> product_distances;
    std::vector<double> bit_distances;
    const auto signs = [](const std::vector<float>& row) {
        std::vector<float> result;
        for (const float x : row)
            result.push_back(x < 1 ? -1.0f : 1.0f);
        return result;
    };
    for (int i = 0; i < 30; ++i) {
        products.add_query(&space, rows[i].data(), Meets::kAllRows);
        bits.add_query(signs(rows[i]).data());
    }
    const std::vector<float> one_centroid(std::max<size_t>(in_space.size(), kDimensions));
    products.set_lists(one_centroid, 1);
    bits.set_lists(one_centroid, 1);
    for (const std::vector<float>& row : rows) {
        space.to_space(row.data(), in_space.data());
        products.observe(in_space.data(), 0);
        bits.observe(signs(row).data(), 0);
        for (int i = 0; i < 30; ++i) {
            product_distances.push_back(-exact_dot(rows[i].data(), row.data(), kDimensions));
            double different = 0;
            for (uint32_t d = 0; d < kDimensions; ++d)
                different += (row[d] < 1) != (rows[i][d] < 1);
            bit_distances.push_back(different);
        }
    }
    const auto middle = [](std::vector<double>& distances) {
        std::nth_element(distances.begin(), distances.begin() + distances.size() / 2,
                         distances.end());
        return distances[distances.size() / 2];
    };
    const Calibration of_products = products.measure();
    EXPECT_NEAR(share_within(of_products, middle(product_distances)), 0.5, 0.05);
    const Calibration of_bits = bits.measure();
    EXPECT_NEAR(share_within(of_bits, middle(bit_distances)), 0.5, 0.1);
}

TEST(NeighbourDistances, TakesTheTypicalQueryNearByAndAllOfThemFarOff) {
    NeighbourDistances distances;
    std::vector<float> nearest(100);
    for (const float of_query : {1.0f, 2.0f, 50.0f}) {
        for (size_t i = 0; i < nearest.size(); ++i)
            nearest[i] = of_query * static_cast<float>(i + 1);
        const float sampled[] = {4 * of_query, of_query};
        distances.add_query(nearest, sampled);
    }
    const auto ranks = distances.of_ranks();
    EXPECT_EQ(ranks[0], 2);
    EXPECT_EQ(ranks[1], 20);
    EXPECT_EQ(ranks[2], 200);
    EXPECT_EQ(ranks[3], 0);  // nobody has a thousand
    // 1, 2, 4, 8, 50, 200
    const auto shares = distances.of_shares();
    EXPECT_EQ(shares[0], 1);
    EXPECT_EQ(shares[3], 2);
    EXPECT_EQ(shares[4], 4);
    EXPECT_EQ(shares[6], 200);
    EXPECT_EQ(shares[7], 200);
    EXPECT_EQ(NeighbourDistances().of_ranks()[0], 0);
    EXPECT_EQ(NeighbourDistances().of_shares()[7], 0);
}

// Points that were measured are met, and what would make the share fall is left out.
TEST(NeighbourDistances, AShareGrowsFromPointToPoint) {
    Calibration calibration{};
    calibration.row_count = 1000;
    calibration.rank_distance = {-5, 3, 2, 0};  // the hundredth nearer than the tenth
    calibration.share_distance = {4, 5, 6, 10, 20, 30, 40, 50};
    EXPECT_EQ(share_within(calibration, -5.1), 0.001);
    EXPECT_DOUBLE_EQ(share_within(calibration, -5), 0.001);
    EXPECT_DOUBLE_EQ(share_within(calibration, -1), 0.001 * std::sqrt(10));
    EXPECT_DOUBLE_EQ(share_within(calibration, 3), 0.1);
    EXPECT_DOUBLE_EQ(share_within(calibration, 6.5), 0.1 * std::sqrt(2.5));
    EXPECT_DOUBLE_EQ(share_within(calibration, 10), 0.25);
    EXPECT_DOUBLE_EQ(share_within(calibration, 15), 0.5 / std::sqrt(2));
    EXPECT_EQ(share_within(calibration, 50), 1);
    calibration.share_distance.back() = 0;
    EXPECT_EQ(share_within(calibration, 15), 0);
}

Calibration on_a_line() {
    Calibration calibration{};
    calibration.row_count = 1000;
    calibration.rank_distance = {2, 4, 20, 0};
    calibration.share_distance = {1, 4, 20, 50, 100, 150, 180, 200};
    return calibration;
}

TEST(NeighbourDistances, BelowTheNearestRowAnUnusualDistanceHasLessThanOneRow) {
    const DistanceCurve curve(on_a_line(), Metric::kL2);
    EXPECT_TRUE(curve.is_measured());
    EXPECT_DOUBLE_EQ(curve.expected_share(2), 0.001);
    EXPECT_DOUBLE_EQ(curve.expected_share(4), 0.01);
    EXPECT_DOUBLE_EQ(curve.expected_share(1), 0.001 / 64);
    EXPECT_DOUBLE_EQ(curve.expected_share(0.5), 0.001 / 4096);
    // Half the cosine distance is what 0.7 of the L2 distance is.
    for (const Metric metric : {Metric::kCosine, Metric::kHamming, Metric::kJaccard})
        EXPECT_DOUBLE_EQ(DistanceCurve(on_a_line(), metric).expected_share(1), 0.001 / 8);
    EXPECT_EQ(curve.expected_share(0), 0);
    EXPECT_EQ(curve.expected_share(-1), 0);
    EXPECT_EQ(curve.expected_share(-std::numeric_limits<double>::infinity()), 0);
    EXPECT_EQ(curve.expected_share(200), 1);
    EXPECT_EQ(curve.expected_share(std::numeric_limits<double>::infinity()), 1);
    EXPECT_TRUE(std::isnan(curve.expected_share(std::nan(""))));
    double before = 0;
    for (double distance = 0.01; distance < 199; distance *= 1.07) {
        const double share = curve.expected_share(distance);
        EXPECT_GT(share, before) << distance;
        before = share;
        if (distance >= 2) {
            EXPECT_EQ(share, curve.share_within(distance));
        }
    }
    EXPECT_FALSE(DistanceCurve(Calibration{}, Metric::kL2).is_measured());
    EXPECT_EQ(DistanceCurve(Calibration{}, Metric::kL2).expected_share(5), 0);
}

TEST(NeighbourDistances, RowsMayBeAllAlikeOrAllEquallyFar) {
    Calibration calibration = on_a_line();
    calibration.rank_distance = {2, 2, 2, 0};
    calibration.share_distance.fill(2);
    const DistanceCurve equal(calibration, Metric::kHamming);
    EXPECT_EQ(equal.expected_share(2), 1);
    EXPECT_DOUBLE_EQ(equal.expected_share(1), 0.001 / 8);
    calibration.share_distance.fill(-2);
    calibration.rank_distance.fill(-2);
    const DistanceCurve products(calibration, Metric::kInnerProduct);
    EXPECT_EQ(products.expected_share(-2), 1);
    EXPECT_EQ(products.expected_share(-3), 0);
    calibration.rank_distance.fill(0);
    calibration.share_distance.fill(0);
    calibration.share_distance.back() = std::numeric_limits<float>::min();
    const DistanceCurve copies(calibration, Metric::kL2);
    EXPECT_EQ(copies.expected_share(0), 0);
    EXPECT_EQ(copies.expected_share(1e-6), 1);
    calibration.row_count = 1;  // no rank is below it
    EXPECT_EQ(DistanceCurve(calibration, Metric::kL2).expected_share(1), 1);
}

// It has no zero, and its nearest row was the query itself.
TEST(NeighbourDistances, ByTheInnerProductTheSlopeGoesOnBelowZero) {
    Calibration calibration = on_a_line();
    calibration.rank_distance = {-9, -3, -1, 0};
    calibration.share_distance = {-4, -3, -1, 0, 2, 3, 4, 5};
    const DistanceCurve curve(calibration, Metric::kInnerProduct);
    EXPECT_DOUBLE_EQ(curve.expected_share(-3), 0.01);
    EXPECT_DOUBLE_EQ(curve.expected_share(-5), 0.001);
    EXPECT_DOUBLE_EQ(curve.expected_share(-9), 0.00001);
    EXPECT_EQ(curve.expected_share(-std::numeric_limits<double>::infinity()), 0);
    EXPECT_EQ(curve.expected_share(5), 1);
    EXPECT_GT(curve.expected_share(0), curve.expected_share(-0.5));
}

}  // namespace
}  // namespace lookalike

#include "core/local/verification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "core/local/local_features.h"

namespace lookalike {
namespace {

/// A change of size and a turn in the units of features, and a shift.
struct Truth {
    int scale_steps;
    uint8_t turn;
    double x0, y0;

    Similarity similarity() const {
        const double growth = std::exp2(scale_steps / double{kScaleSteps});
        const double angle = turn * 2 * std::numbers::pi / kAngleParts;
        return {growth * std::cos(angle), growth * std::sin(angle), x0, y0};
    }
};

double place(std::mt19937& random) {
    return static_cast<double>(random() % kPlaceParts);
}

Correspondence right_pair(const Truth& truth, uint32_t index, std::mt19937& random) {
    Correspondence pair{.from_x = place(random),
                        .from_y = place(random),
                        .to_x = 0,
                        .to_y = 0,
                        .scale_steps = truth.scale_steps,
                        .turn = truth.turn,
                        .weight = 1,
                        .from = index,
                        .to = 1000 + index};
    const Similarity movement = truth.similarity();
    pair.to_x = movement.a * pair.from_x - movement.b * pair.from_y + movement.x0;
    pair.to_y = movement.b * pair.from_x + movement.a * pair.from_y + movement.y0;
    return pair;
}

Correspondence wrong_pair(uint32_t index, std::mt19937& random) {
    return {.from_x = place(random),
            .from_y = place(random),
            .to_x = place(random),
            .to_y = place(random),
            .scale_steps = static_cast<int>(random() % 64) - 32,
            .turn = static_cast<uint8_t>(random()),
            .weight = 1,
            .from = index,
            .to = 1000 + index};
}

/// The pairs in a random order, heaviest first.
std::vector<Correspondence> weighted(std::vector<Correspondence> pairs, std::mt19937& random) {
    std::ranges::shuffle(pairs, random);
    for (size_t i = 0; i < pairs.size(); ++i)
        pairs[i].weight = 1 - 0.5 * static_cast<double>(i) / static_cast<double>(pairs.size());
    return pairs;
}

void expect_movement(const Similarity& found, const Similarity& right, double tolerance) {
    EXPECT_NEAR(found.a, right.a, tolerance);
    EXPECT_NEAR(found.b, right.b, tolerance);
    EXPECT_NEAR(found.x0, right.x0, tolerance * kPlaceParts);
    EXPECT_NEAR(found.y0, right.y0, tolerance * kPlaceParts);
}

const Truth kTruths[] = {{0, 0, 0, 0},         {0, 0, 3000, -9000},    {16, 64, 100, 200},
                         {-20, 200, 5e4, 1e4}, {7, 128, 65536, 65536}, {-5, 255, -700, 300}};

TEST(Verification, FindsTheMovementAmongWrongPairs) {
    std::mt19937 random(1);
    for (const Truth& truth : kTruths) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 60; ++i)
            pairs.push_back(right_pair(truth, i, random));
        for (uint32_t i = 60; i < 160; ++i)
            pairs.push_back(wrong_pair(i, random));
        pairs = weighted(pairs, random);
        const Verified found = verify(pairs);
        const auto is_right = [&](uint32_t i) { return pairs[i].from < 60; };
        EXPECT_EQ(std::ranges::count_if(found.inliers, is_right), 60);
        EXPECT_LE(found.inliers.size(), 63u);
        expect_movement(found.movement, truth.similarity(), 0.01);
    }
}

TEST(Verification, ExactPairsGiveTheExactMovement) {
    std::mt19937 random(2);
    for (const Truth& truth : kTruths) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 30; ++i)
            pairs.push_back(right_pair(truth, i, random));
        const Verified found = verify(weighted(pairs, random));
        EXPECT_EQ(found.inliers.size(), 30u);
        expect_movement(found.movement, truth.similarity(), 1e-9);
    }
}

TEST(Verification, ErrorsOfADetectorAreEvenedOut) {
    std::mt19937 random(3);
    const Truth truth{5, 30, 900, 800};
    std::vector<Correspondence> pairs;
    for (uint32_t i = 0; i < 100; ++i) {
        pairs.push_back(right_pair(truth, i, random));
        pairs.back().to_x += static_cast<double>(random() % 401) - 200;  // 2 pixels of 640
        pairs.back().to_y += static_cast<double>(random() % 401) - 200;
        pairs.back().scale_steps += static_cast<int>(random() % 7) - 3;
        pairs.back().turn = static_cast<uint8_t>(pairs.back().turn + random() % 9 - 4);
    }
    const Verified found = verify(weighted(pairs, random));
    EXPECT_EQ(found.inliers.size(), 100u);
    expect_movement(found.movement, truth.similarity(), 0.002);
}

TEST(Verification, WrongPairsHardlyEverLieRight) {
    std::mt19937 random(4);
    for (int round = 0; round < 50; ++round) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 100; ++i)
            pairs.push_back(wrong_pair(i, random));
        EXPECT_LE(verify(weighted(pairs, random)).inliers.size(), 6u);
    }
}

// Scales and angles speak against these, though the places agree.
TEST(Verification, PairsThatAreTurnedOrScaledOtherwiseAreNone) {
    std::mt19937 random(5);
    const Truth truth{0, 0, 500, 500};
    for (const auto& [steps, turn, is_right] : {std::tuple{13, 0, true},
                                                {14, 0, false},
                                                {-13, 0, true},
                                                {-14, 0, false},
                                                {0, 18, true},
                                                {0, 19, false},
                                                {0, -18, true},
                                                {0, -19, false}}) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 20; ++i)
            pairs.push_back(right_pair(truth, i, random));
        pairs.back().scale_steps = steps;
        pairs.back().turn = static_cast<uint8_t>(turn);
        EXPECT_EQ(verify(pairs).inliers.size(), is_right ? 20u : 19u) << steps << " " << turn;
    }
}

TEST(Verification, OfEachFeatureTheHeaviestPairCounts) {
    std::mt19937 random(6);
    const Truth truth{3, 9, 70, 80};
    std::vector<Correspondence> pairs;
    for (uint32_t i = 0; i < 20; ++i)
        pairs.push_back(right_pair(truth, i, random));
    // Both lie right; one names the first feature of the first picture again, one of the second.
    pairs.push_back(right_pair(truth, 50, random));
    pairs.back().from = 0;
    pairs.push_back(right_pair(truth, 51, random));
    pairs.back().to = pairs[1].to;
    for (size_t i = 0; i < pairs.size(); ++i)
        pairs[i].weight = 1 - 0.01 * static_cast<double>(i);
    const Verified found = verify(pairs);
    ASSERT_EQ(found.inliers.size(), 20u);
    for (uint32_t i = 0; i < 20; ++i)
        EXPECT_EQ(found.inliers[i], i);
}

TEST(Verification, OfNothingThereIsNone) {
    const Verified found = verify({});
    EXPECT_TRUE(found.inliers.empty());
    expect_movement(found.movement, {1, 0, 0, 0}, 0);
}

TEST(Verification, OnePairMovesAsItsScaleAndAngleSay) {
    std::mt19937 random(7);
    for (const Truth& truth : kTruths) {
        const Correspondence pair = right_pair(truth, 0, random);
        const Verified found = verify({&pair, 1});
        EXPECT_EQ(found.inliers, std::vector<uint32_t>{0});
        expect_movement(found.movement, truth.similarity(), 1e-9);
    }
}

TEST(Verification, EqualPlacesAreAShift) {
    std::vector<Correspondence> pairs;
    for (uint32_t i = 0; i < 12; ++i)
        pairs.push_back({.from_x = 100,
                         .from_y = 200,
                         .to_x = 5100,
                         .to_y = 4200,
                         .scale_steps = 0,
                         .turn = 0,
                         .weight = 0.5,
                         .from = i,
                         .to = i});
    const Verified found = verify(pairs);
    EXPECT_EQ(found.inliers.size(), 12u);
    expect_movement(found.movement, {1, 0, 5000, 4000}, 1e-12);
}

TEST(Verification, ExtremeScalesStayFinite) {
    std::mt19937 random(8);
    for (const int steps : {-255, -128, 128, 255}) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 60; ++i) {
            pairs.push_back(wrong_pair(i, random));
            pairs.back().scale_steps = steps;
        }
        const Verified found = verify(weighted(pairs, random));
        EXPECT_GE(found.inliers.size(), 1u);
        for (const double number :
             {found.movement.a, found.movement.b, found.movement.x0, found.movement.y0})
            EXPECT_TRUE(std::isfinite(number)) << steps;
    }
}

// Of many pairs only the heaviest propose, and what the light ones agree on is not found.
TEST(Verification, TheHeaviestPropose) {
    std::mt19937 random(9);
    const Truth truth{0, 0, 40, 40};
    for (const size_t place_of_right : {39, 40}) {
        std::vector<Correspondence> pairs;
        for (uint32_t i = 0; i < 40; ++i)
            pairs.push_back(wrong_pair(i, random));
        for (uint32_t i = 40; i < 60; ++i)
            pairs.push_back(right_pair(truth, i, random));
        std::swap(pairs[place_of_right], pairs[40]);
        const auto right = std::ranges::count_if(verify(pairs).inliers,
                                                 [&](uint32_t i) { return pairs[i].from >= 40; });
        if (place_of_right == 39)
            EXPECT_EQ(right, 20);
        else
            EXPECT_LT(right, 10);
    }
}

TEST(Verification, ErrorsAreThoseOfTheMovement) {
    const Correspondence pair{.from_x = 10,
                              .from_y = 20,
                              .to_x = 1,
                              .to_y = 2,
                              .scale_steps = 0,
                              .turn = 0,
                              .weight = 1,
                              .from = 0,
                              .to = 0};
    // (10, 20) turned by a quarter is (-20, 10).
    EXPECT_EQ(squared_error({0, 1, 0, 0}, pair), 21 * 21 + 8 * 8);
    EXPECT_EQ(squared_error({0, 1, 21, -8}, pair), 0);
    EXPECT_EQ(squared_error({2, 0, -19, -38}, pair), 0);
}

}  // namespace
}  // namespace lookalike

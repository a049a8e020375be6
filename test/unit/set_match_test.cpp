#include "core/local/set_match.h"

#include <gtest/gtest.h>

#include <bit>
#include <numeric>

#include "each_target.h"
#include "local_set.h"

namespace lookalike {
namespace {

constexpr LocalKind kKinds[] = {LocalKind::kOrb, LocalKind::kSift};
constexpr uint32_t kCellSide = kPlaceParts / 24;

/// Changes descriptors as much as another photo of the same thing would.
std::vector<LocalSample> blurred(std::vector<LocalSample> samples, LocalKind kind,
                                 std::mt19937& random) {
    for (LocalSample& sample : samples) {
        for (int i = 0; i < 20; ++i) {
            uint8_t& byte = sample.descriptor[random() % sample.descriptor.size()];
            byte = static_cast<uint8_t>(
                byte ^ (kind == LocalKind::kOrb ? 1 << random() % 8 : 1 << random() % 5));
        }
    }
    return samples;
}

SetMatch match_of(const Bytes& a, const Bytes& b) {
    EXPECT_EQ(local_features_fault(a), nullptr);
    EXPECT_EQ(local_features_fault(b), nullptr);
    return match_sets(view_local_features(a.data()), view_local_features(b.data()));
}

PicturePoint moved(const SetMatch& match, const PicturePoint& point) {
    const double* m = match.movement;
    return {m[0] * point.x + m[1] * point.y + m[2], m[3] * point.x + m[4] * point.y + m[5]};
}

/// The movement carries feature i of b to feature i of a, up to so many pixels.
void expect_carried(const Bytes& a, const Bytes& b, const SetMatch& match, double pixels) {
    const LocalFeatures to = view_local_features(a.data()), from = view_local_features(b.data());
    ASSERT_TRUE(match.has_movement);
    for (uint32_t i = 0; i < from.count(); ++i) {
        const PicturePoint point = moved(match, point_of(from, i)), right = point_of(to, i);
        ASSERT_NEAR(point.x, right.x, pixels) << i;
        ASSERT_NEAR(point.y, right.y, pixels) << i;
    }
}

uint64_t bits(double number) {
    return std::bit_cast<uint64_t>(number);
}

TEST(SetMatch, FindsAMovedCopy) {
    std::mt19937 random(1);
    const Change changes[] = {{0, 0, 0, 0},
                              {0, 0, 9000, -4000},
                              {8, 32, 15000, -30000},
                              {-16, 64, 50000, 5000},
                              {0, 128, 65000, 65000}};
    for (const LocalKind kind : kKinds) {
        for (const Change& change : changes) {
            const auto samples = random_samples(kind, 150, 22000, 36000, random);
            const Bytes a = local_value(local_header(kind, 640, 640), samples);
            const Bytes b = local_value(local_header(kind, 640, 640),
                                        blurred(changed_samples(samples, change), kind, random));
            const SetMatch match = match_of(a, b);
            EXPECT_EQ(match.matches, 150u);
            EXPECT_EQ(match.inliers, 150u);
            EXPECT_FALSE(match.is_mirrored);
            EXPECT_LT(match.distance(), 0.4);
            expect_carried(a, b, match, 0.1);
        }
    }
}

// Pictures of different sizes: pixels are those of each.
TEST(SetMatch, MovementsAreInPixelsOfEachPicture) {
    std::mt19937 random(2);
    for (const LocalKind kind : kKinds) {
        const auto samples = random_samples(kind, 100, 0, 30000, random);
        const Bytes a = local_value(local_header(kind, 1000, 500), samples);
        const Bytes b = local_value(local_header(kind, 3000, 6000), samples);
        expect_carried(a, b, match_of(a, b), 0.01);
        expect_carried(b, a, match_of(b, a), 0.1);
    }
}

TEST(SetMatch, APictureAndItselfAreNear) {
    std::mt19937 random(3);
    for (const LocalKind kind : kKinds) {
        const Bytes a =
            local_value(local_header(kind, 640, 640), random_samples(kind, 150, 0, 65535, random));
        const SetMatch match = match_of(a, a);
        EXPECT_EQ(match.inliers, 150u);
        EXPECT_GT(match.distance(), 0);
        EXPECT_LT(match.distance(), 0.15);
        expect_carried(a, a, match, 1e-6);
    }
}

/// Pairs of sets of all sorts: alike, partly alike, not alike, of equal and of different sizes.
std::vector<std::pair<Bytes, Bytes>> pairs_of_sets(LocalKind kind) {
    std::mt19937 random(4);
    std::vector<std::pair<Bytes, Bytes>> pairs;
    for (const uint32_t count : {1, 2, 3, 10, 40, 97}) {
        for (const uint32_t common : {0u, count / 3, count}) {
            for (const uint32_t added : {0, 5}) {
                const auto a = random_samples(kind, count, 15000, 40000, random);
                auto b = blurred(changed_samples(a, {3, 10, 9000, -2000}), kind, random);
                const auto others = random_samples(kind, count + added, 0, 65535, random);
                b.resize(common);
                b.insert(b.end(), others.begin() + common, others.end());
                for (uint32_t i = 0; i < b.size(); ++i)
                    b[i].place.strength = others[i].place.strength;
                pairs.emplace_back(local_value(local_header(kind, 640, 640), a),
                                   local_value(local_header(kind, 2000, 2000), b));
            }
        }
    }
    return pairs;
}

TEST(SetMatch, IsTheSameInEitherOrderToTheLastBit) {
    for (const LocalKind kind : kKinds) {
        for (const auto& [a, b] : pairs_of_sets(kind)) {
            const SetMatch one = match_of(a, b), other = match_of(b, a);
            EXPECT_EQ(bits(one.distance()), bits(other.distance()));
            EXPECT_EQ(bits(one.weight), bits(other.weight));
            EXPECT_EQ(one.matches, other.matches);
            EXPECT_EQ(one.inliers, other.inliers);
            ASSERT_EQ(one.has_movement, other.has_movement);
            if (!one.has_movement) continue;
            // There and back is where one began.
            for (const PicturePoint point : {PicturePoint{0, 0}, {100, 0}, {0, 100}}) {
                const PicturePoint back = moved(one, moved(other, point));
                EXPECT_NEAR(back.x, point.x, 1e-6);
                EXPECT_NEAR(back.y, point.y, 1e-6);
            }
        }
    }
}

TEST(SetMatch, IsTheSameOnEveryInstructionSetToTheLastBit) {
    for (const LocalKind kind : kKinds) {
        for (const auto& [a, b] : pairs_of_sets(kind)) {
            const SetMatch right = match_of(a, b);
            on_each_target([&] {
                const SetMatch match = match_of(a, b);
                EXPECT_EQ(match.matches, right.matches);
                EXPECT_EQ(match.inliers, right.inliers);
                EXPECT_EQ(bits(match.weight), bits(right.weight));
                for (int i = 0; i < 6; ++i)
                    EXPECT_EQ(bits(match.movement[i]), bits(right.movement[i]));
            });
        }
    }
}

// Two values of the same features, of pictures of different sizes: nothing tells which is which.
TEST(SetMatch, EqualFeaturesOfDifferentPicturesAreTheSameInEitherOrder) {
    std::mt19937 random(5);
    const auto samples = random_samples(LocalKind::kOrb, 60, 0, 30000, random);
    const Bytes a = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    const Bytes b = local_value(local_header(LocalKind::kOrb, 100, 50, true), samples);
    EXPECT_EQ(bits(match_of(a, b).distance()), bits(match_of(b, a).distance()));
    expect_carried(a, b, match_of(a, b), 1e-6);
    expect_carried(b, a, match_of(b, a), 1e-6);
}

TEST(SetMatch, EmptySetsAreFarFromEverything) {
    std::mt19937 random(6);
    for (const LocalKind kind : kKinds) {
        const Bytes none = local_value(local_header(kind, 640, 480), {});
        const Bytes some =
            local_value(local_header(kind, 640, 640), random_samples(kind, 20, 0, 65535, random));
        for (const auto& match :
             {match_of(none, some), match_of(some, none), match_of(none, none)}) {
            EXPECT_EQ(match.distance(), 1);
            EXPECT_EQ(match.matches, 0u);
            EXPECT_EQ(match.inliers, 0u);
            EXPECT_FALSE(match.has_movement);
        }
    }
}

TEST(SetMatch, OtherPicturesAreFar) {
    std::mt19937 random(7);
    for (const LocalKind kind : kKinds) {
        const Bytes a =
            local_value(local_header(kind, 640, 640), random_samples(kind, 300, 0, 65535, random));
        const Bytes b =
            local_value(local_header(kind, 640, 640), random_samples(kind, 300, 0, 65535, random));
        EXPECT_GT(match_of(a, b).distance(), 0.75);
    }
}

TEST(SetMatch, FewerThanThreeCellsAreWorthNothing) {
    std::mt19937 random(8);
    for (const LocalKind kind : kKinds) {
        for (const uint32_t cells : {1, 2, 3}) {
            auto samples = random_samples(kind, 90, 0, kCellSide - 1, random);
            for (uint32_t i = 0; i < samples.size(); ++i)
                samples[i].place.x =
                    static_cast<uint16_t>(samples[i].place.x + i % cells * 5 * kPlaceParts / 24);
            const Bytes a = local_value(local_header(kind, 640, 640), samples);
            const SetMatch match = match_of(a, a);
            EXPECT_EQ(match.inliers, 90u);
            if (cells < 3) {
                EXPECT_EQ(match.weight, 0);
                EXPECT_EQ(match.distance(), 1);
            } else {
                EXPECT_NEAR(match.weight, 3, 1e-9);
            }
        }
    }
}

// A cell counts once.
TEST(SetMatch, InliersOfOneCellCountOnce) {
    std::mt19937 random(9);
    constexpr uint32_t kSevenCells = 7 * 65536 / 24;
    const auto samples = random_samples(LocalKind::kOrb, 100, 0, kSevenCells, random);
    const Bytes corner = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    const SetMatch match = match_of(corner, corner);
    EXPECT_EQ(match.inliers, 100u);
    EXPECT_LE(match.weight, 7 * 7);
}

// Cells are as large as the thing is.
TEST(SetMatch, AThingCountsAsMuchWhereItIsSmall) {
    std::mt19937 random(9);
    auto samples = random_samples(LocalKind::kOrb, 100, 0, 65535, random);
    const Bytes large = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    const double all = match_of(large, large).weight;
    samples = changed_samples(samples, {-32, 0, 0, 0});  // a quarter as large
    const Bytes small = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    EXPECT_GT(match_of(large, small).weight, 0.9 * all);
    EXPECT_GT(match_of(small, large).weight, 0.9 * all);
}

// The small one's features are in the large one twice, a little blurred the second time.
TEST(SetMatch, TheSmallerSetIsLookedForInTheLarger) {
    std::mt19937 random(14);
    for (const LocalKind kind : kKinds) {
        for (int round = 0; round < 8; ++round) {
            const auto samples = random_samples(kind, 20, 0, 20000, random);
            auto twice = samples;
            for (LocalSample sample :
                 blurred(changed_samples(samples, {0, 0, 30000, 0}), kind, random)) {
                sample.place.strength = 0;
                twice.push_back(sample);
            }
            const Bytes a = local_value(local_header(kind, 640, 640), samples);
            const Bytes b = local_value(local_header(kind, 640, 640), twice);
            EXPECT_EQ(match_of(a, b).matches, 20u);
            EXPECT_EQ(match_of(b, a).matches, 20u);
        }
    }
}

// A detector finds the same spot at several scales, with nearly the same descriptor.
TEST(SetMatch, SpotsThatAreFoundTwiceAreNotRepeated) {
    std::mt19937 random(15);
    for (const LocalKind kind : kKinds) {
        const auto samples = random_samples(kind, 40, 0, 60000, random);
        for (const auto& [shift, matches] : {std::pair{1638.0, 40u}, {1639.0, 0u}}) {
            auto twice = samples;
            for (LocalSample sample : changed_samples(samples, {0, 0, shift, 0})) {
                sample.place.strength = 0;
                twice.push_back(sample);
            }
            EXPECT_EQ(match_of(local_value(local_header(kind, 640, 640), samples),
                               local_value(local_header(kind, 640, 640), twice))
                          .matches,
                      matches);
        }
    }
}

// Of 100 pairs the first 60 are alike by chance; the others are equal, and come last.
TEST(SetMatch, TheMostAlikeProposeTheMovement) {
    std::mt19937 random(16);
    const auto header = local_header(LocalKind::kOrb, 640, 640);
    const auto samples = random_samples(LocalKind::kOrb, 100, 0, 65535, random);
    auto others = blurred(blurred(samples, LocalKind::kOrb, random), LocalKind::kOrb, random);
    const auto elsewhere = random_samples(LocalKind::kOrb, 100, 0, 65535, random);
    for (uint32_t i = 0; i < 60; ++i)
        others[i].place = elsewhere[i].place;
    for (uint32_t i = 60; i < 100; ++i)
        others[i] = samples[i];
    for (uint32_t i = 0; i < 100; ++i)
        others[i].place.strength = samples[i].place.strength;
    const SetMatch match = match_of(local_value(header, samples), local_value(header, others));
    EXPECT_GE(match.matches, 90u);
    EXPECT_GE(match.inliers, 40u);
    EXPECT_LE(match.inliers, 44u);
}

// The weave of a cloth: every feature is everywhere.
TEST(SetMatch, RepeatedTextureIsWorthLittle) {
    std::mt19937 random(10);
    for (const LocalKind kind : kKinds) {
        for (const bool differs_a_little : {false, true}) {
            const auto threads = random_samples(kind, 2, 0, 65535, random);
            const auto cloth = [&] {
                auto samples = random_samples(kind, 200, 0, 65535, random);
                for (uint32_t i = 0; i < samples.size(); ++i)
                    samples[i].descriptor = threads[i % 2].descriptor;
                return local_value(local_header(kind, 640, 640),
                                   differs_a_little ? blurred(samples, kind, random) : samples);
            };
            const Bytes a = cloth(), b = cloth();
            for (const SetMatch& match : {match_of(a, b), match_of(b, a)}) {
                EXPECT_LE(match.matches, 20u) << differs_a_little;
                EXPECT_GT(match.distance(), 0.75) << differs_a_little;
            }
        }
    }
}

// Features that are repeated to the bit, as in a drawing, say nothing; the others are found.
TEST(SetMatch, RepeatedFeaturesDoNotHideTheOthers) {
    std::mt19937 random(13);
    for (const LocalKind kind : kKinds) {
        auto samples = random_samples(kind, 120, 15000, 40000, random);
        for (uint32_t i = 0; i < 80; ++i)
            samples[i].descriptor = samples[0].descriptor;
        auto others = blurred(changed_samples(samples, {0, 64, 60000, 0}), kind, random);
        for (uint32_t i = 0; i < 80; ++i)
            others[i].descriptor = samples[0].descriptor;
        const Bytes a = local_value(local_header(kind, 640, 640), samples);
        const Bytes b = local_value(local_header(kind, 640, 640), others);
        const SetMatch match = match_of(a, b);
        EXPECT_EQ(match.matches, 40u);
        EXPECT_EQ(match.inliers, 40u);
        expect_carried(a, b, match, 0.1);
    }
}

// What a mirror shows: places from the right edge, and a header that says so.
TEST(SetMatch, MovementsAreThoseOfThePictureAsItIs) {
    std::mt19937 random(11);
    for (const LocalKind kind : kKinds) {
        const auto samples = random_samples(kind, 80, 5000, 30000, random);
        const Bytes a = local_value(local_header(kind, 800, 600), samples);
        const Bytes b = local_value(local_header(kind, 400, 300, true),
                                    changed_samples(samples, {4, 16, 12000, 0}));
        for (const auto& [one, other] : {std::pair{a, b}, std::pair{b, a}}) {
            const SetMatch match = match_of(one, other);
            EXPECT_TRUE(match.is_mirrored);
            EXPECT_EQ(match.inliers, 80u);
            expect_carried(one, other, match, 0.1);
            // It mirrors: the movement turns the other way round.
            const double* m = match.movement;
            EXPECT_LT(m[0] * m[4] - m[1] * m[3], 0);
        }
        const SetMatch both = match_of(b, b);
        EXPECT_FALSE(both.is_mirrored);
        expect_carried(b, b, both, 1e-6);
    }
}

TEST(SetMatch, NearnessIsWorthMore) {
    std::mt19937 random(12);
    const auto samples = random_samples(LocalKind::kOrb, 60, 0, 65535, random);
    const Bytes a = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    const Bytes blurred_once = local_value(local_header(LocalKind::kOrb, 640, 640),
                                           blurred(samples, LocalKind::kOrb, random));
    EXPECT_LT(match_of(a, a).distance(), match_of(a, blurred_once).distance());
}

/// Forty features in cells of their own.
std::vector<LocalSample> parted_samples(LocalKind kind, std::mt19937& random) {
    auto samples = random_samples(kind, 40, 0, 65535, random);
    for (uint32_t i = 0; i < 40; ++i) {
        samples[i].place.x = static_cast<uint16_t>((3 * (i % 8) + 0.5) * kCellSide);
        samples[i].place.y = static_cast<uint16_t>((3 * (i / 8) + 0.5) * kCellSide);
    }
    return samples;
}

TEST(SetMatch, LikenessIsWorthAsDescribed) {
    std::mt19937 random(18);
    for (const int changed : {0, 1, 10, 40, 64}) {
        const auto samples = parted_samples(LocalKind::kOrb, random);
        auto others = samples;
        for (LocalSample& sample : others)
            for (int i = 0; i < changed; ++i)
                sample.descriptor[i / 8] ^= static_cast<uint8_t>(1 << i % 8);
        const auto header = local_header(LocalKind::kOrb, 640, 640);
        EXPECT_NEAR(match_of(local_value(header, samples), local_value(header, others)).weight,
                    40 * std::exp(-std::pow(changed / 40.0, 2)), 1e-9);
    }
    for (const int changed : {0, 1, 10, 31}) {
        const auto samples = parted_samples(LocalKind::kSift, random);
        auto others = samples;
        for (LocalSample& sample : others)
            for (uint8_t& byte : sample.descriptor)
                byte = static_cast<uint8_t>(byte < 128 ? byte + changed : byte - changed);
        const auto header = local_header(LocalKind::kSift, 640, 640);
        EXPECT_NEAR(match_of(local_value(header, samples), local_value(header, others)).weight,
                    40 * std::exp(-16.0 * changed * changed / 6000), 1e-9);
    }
}

// Each in the middle of a cell, some 3 pixels of 640 too far to the left or to the right.
TEST(SetMatch, ErrorsOfPlacesAreWorthLess) {
    std::mt19937 random(17);
    const auto header = local_header(LocalKind::kOrb, 640, 640);
    auto samples = parted_samples(LocalKind::kOrb, random);
    const Bytes a = local_value(header, samples);
    for (uint32_t i = 0; i < 40; ++i)
        samples[i].place.x =
            static_cast<uint16_t>(samples[i].place.x + ((i + i / 8) % 2 ? 300 : -300));
    const SetMatch match = match_of(a, local_value(header, samples));
    EXPECT_EQ(match.inliers, 40u);
    EXPECT_NEAR(match_of(a, a).weight, 40, 1e-9);
    EXPECT_NEAR(match.weight, 40 * std::exp(-std::pow(300 / 409.6, 2)), 0.5);
}

// Places that have nothing to do with each other, all of one set within less than a pixel.
TEST(SetMatch, OnePlaceIsNotAFind) {
    std::mt19937 random(21);
    for (const uint32_t side : {2u, 10u, 50u}) {
        const auto samples = random_samples(LocalKind::kOrb, 150, 0, 65535, random);
        auto squeezed = samples;
        for (LocalSample& sample : squeezed) {
            sample.place.x = static_cast<uint16_t>(random() % side);
            sample.place.y = static_cast<uint16_t>(random() % side);
        }
        const auto header = local_header(LocalKind::kOrb, 640, 640);
        EXPECT_GT(match_of(local_value(header, samples), local_value(header, squeezed)).distance(),
                  0.9)
            << side;
    }
}

TEST(SetMatch, DistancesFollowFromWeights) {
    SetMatch match{};
    EXPECT_EQ(match.distance(), 1);
    match.weight = 8;
    EXPECT_EQ(match.distance(), 0.5);
    match.weight = 24;
    EXPECT_EQ(match.distance(), 0.25);
}

// All features may be at one place and equal, and of sizes that have nothing to do with each other.
TEST(SetMatch, LargeSetsOfEqualFeaturesEnd) {
    std::vector<LocalSample> samples(
        2000, {{.x = 7, .y = 7, .scale = 0, .angle = 0, .strength = 0}, Bytes(32, 0)});
    const Bytes a = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    for (LocalSample& sample : samples)
        sample.place.scale = 255;
    const Bytes b = local_value(local_header(LocalKind::kOrb, 640, 640), samples);
    const SetMatch match = match_of(a, b);
    EXPECT_EQ(match.inliers, 1u);
    EXPECT_EQ(match.distance(), 1);
}

}  // namespace
}  // namespace lookalike

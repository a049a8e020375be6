#include "core/local/nearest_features.h"

#include <gtest/gtest.h>

#include <bit>

#include "each_target.h"
#include "local_set.h"

namespace lookalike {
namespace {

constexpr uint16_t kReach = 1000;

/// Whatever lies elsewhere, unless it is not a bit farther than the descriptor itself.
Nearness within(uint16_t most) {
    return {.most = most, .percent = UINT16_MAX};
}

uint16_t right_distance(LocalKind kind, const Bytes& a, const Bytes& b) {
    int sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
        sum += kind == LocalKind::kOrb ? std::popcount(static_cast<uint8_t>(a[i] ^ b[i]))
                                       : (a[i] - b[i]) * (a[i] - b[i]);
    return static_cast<uint16_t>(kind == LocalKind::kOrb ? sum : std::min(sum / 8, 65535));
}

LocalSample sample_at(uint16_t x, uint16_t y, const Bytes& descriptor) {
    return {{.x = x, .y = y, .scale = 100, .angle = 0, .strength = 9}, descriptor};
}

/// 32 bytes of which the first `bits` bits are set.
Bytes with_bits(size_t bits) {
    Bytes descriptor(32, 0);
    for (size_t i = 0; i < bits; ++i)
        descriptor[i / 8] |= static_cast<uint8_t>(1 << i % 8);
    return descriptor;
}

Bytes orb_value(const std::vector<LocalSample>& samples) {
    return local_value(local_header(LocalKind::kOrb, 640, 640), samples);
}

TEST(NearestFeatures, AgreeWithPlainLoops) {
    std::mt19937 random(1);
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift}) {
        for (const uint32_t count : {1, 2, 17, 100, 333}) {
            auto samples = random_samples(kind, count, 0, 8000, random);
            const Bytes wanted = random_bytes(local_descriptor_bytes(kind), random);
            for (LocalSample& sample : samples) {
                sample.descriptor = wanted;
                for (size_t i = 0; i < 30; ++i)
                    sample.descriptor[random() % wanted.size()] ^= 1 << random() % 6;
            }
            std::vector<uint16_t> distances;
            for (const LocalSample& sample : samples)
                distances.push_back(right_distance(kind, wanted, sample.descriptor));
            const auto index = std::ranges::min_element(distances) - distances.begin();
            uint64_t elsewhere = UINT32_MAX;
            for (uint32_t i = 0; i < count; ++i)
                if (std::abs(samples[i].place.x - samples[index].place.x) > kReach ||
                    std::abs(samples[i].place.y - samples[index].place.y) > kReach)
                    elsewhere = std::min<uint64_t>(elsewhere, distances[i]);
            const Bytes bytes = local_value(local_header(kind, 640, 640), samples);
            const LocalFeatures features = view_local_features(bytes.data());
            on_each_target([&] {
                FeatureTarget target(features, kReach);
                NearestFeature nearest;
                ASSERT_TRUE(target.find_nearest(wanted.data(), within(UINT16_MAX), &nearest));
                EXPECT_EQ(nearest.index, index);
                EXPECT_EQ(nearest.distance, distances[index]);
                for (const uint16_t percent : {1, 50, 72, 80, 90, 100, 110, 200})
                    EXPECT_EQ(target.find_nearest(wanted.data(), {UINT16_MAX, percent}, &nearest),
                              distances[index] * 100u < elsewhere * percent)
                        << percent;
            });
        }
    }
}

TEST(NearestFeatures, WhatIsHardlyNearerThanElsewhereIsNotFound) {
    const Bytes bytes =
        orb_value({sample_at(0, 0, with_bits(8)), sample_at(kReach + 1, 0, with_bits(10))});
    const LocalFeatures features = view_local_features(bytes.data());
    FeatureTarget target(features, kReach);
    NearestFeature nearest;
    EXPECT_FALSE(target.find_nearest(with_bits(0).data(), {64, 80}, &nearest));
    EXPECT_TRUE(target.find_nearest(with_bits(0).data(), {64, 81}, &nearest));
}

TEST(NearestFeatures, WhatIsFartherThanAllowedIsNotFound) {
    const Bytes bytes = orb_value({sample_at(0, 0, with_bits(64)), sample_at(1, 1, with_bits(70))});
    const LocalFeatures features = view_local_features(bytes.data());
    FeatureTarget target(features, kReach);
    NearestFeature nearest;
    EXPECT_FALSE(target.find_nearest(with_bits(0).data(), within(63), &nearest));
    ASSERT_TRUE(target.find_nearest(with_bits(0).data(), within(64), &nearest));
    EXPECT_EQ(nearest.distance, 64);
}

TEST(NearestFeatures, OfEquallyNearOnesTheFirstIsFound) {
    std::vector<LocalSample> samples(20, sample_at(0, 0, with_bits(50)));
    for (const size_t index : {7, 9, 19})
        samples[index] = sample_at(3000, 0, with_bits(3));
    const Bytes bytes = orb_value(samples);
    const LocalFeatures features = view_local_features(bytes.data());
    on_each_target([&] {
        FeatureTarget target(features, kReach);
        NearestFeature nearest;
        ASSERT_TRUE(target.find_nearest(with_bits(0).data(), within(64), &nearest));
        EXPECT_EQ(nearest.index, 7u);
        EXPECT_FALSE(target.find_nearest(with_bits(0).data(), {64, 6}, &nearest));
        EXPECT_TRUE(target.find_nearest(with_bits(0).data(), {64, 7}, &nearest));
    });
}

TEST(NearestFeatures, NothingLiesElsewhereWhereAllIsNear) {
    const Bytes bytes =
        orb_value({sample_at(0, 0, with_bits(1)), sample_at(kReach, kReach, with_bits(2))});
    const LocalFeatures features = view_local_features(bytes.data());
    FeatureTarget target(features, kReach);
    NearestFeature nearest;
    EXPECT_TRUE(target.find_nearest(with_bits(0).data(), {64, 1}, &nearest));
}

// A target is asked for one feature after the other.
TEST(NearestFeatures, AnAnswerDependsOnNoOtherOne) {
    std::mt19937 random(2);
    const auto samples = random_samples(LocalKind::kSift, 50, 0, 65535, random);
    const Bytes bytes = local_value(local_header(LocalKind::kSift, 640, 640), samples);
    const LocalFeatures features = view_local_features(bytes.data());
    FeatureTarget target(features, kReach);
    for (int round = 0; round < 2; ++round) {
        for (uint32_t i = 0; i < features.count(); ++i) {
            NearestFeature nearest;
            ASSERT_TRUE(target.find_nearest(features.descriptor(i), within(0), &nearest));
            EXPECT_EQ(nearest.index, i);
            EXPECT_EQ(nearest.distance, 0);
        }
    }
}

}  // namespace
}  // namespace lookalike

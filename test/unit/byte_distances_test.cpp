#include "core/local/byte_distances.h"

#include <gtest/gtest.h>

#include "each_target.h"
#include "guarded.h"
#include "local_set.h"

namespace lookalike {
namespace {

constexpr size_t kBytes = 128;

uint16_t eighth_of_squares(const uint8_t* a, const uint8_t* b) {
    int sum = 0;
    for (size_t i = 0; i < kBytes; ++i)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return static_cast<uint16_t>(std::min(sum / 8, 65535));
}

/// Descriptors as near to `descriptor` as those that are compared, and nearer.
Bytes neighbours(const Bytes& descriptor, uint32_t count, std::mt19937& random) {
    Bytes out;
    for (uint32_t i = 0; i < count; ++i) {
        const int reach = 1 + static_cast<int>(random() % 100);
        for (const uint8_t byte : descriptor) {
            const int change = static_cast<int>(random() % (2 * reach + 1)) - reach;
            out.push_back(static_cast<uint8_t>(std::clamp(byte + change, 0, 255)));
        }
    }
    return out;
}

/// The distances that a plain loop finds, and the least of them.
void expect_distances(const Bytes& descriptor, const Bytes& descriptors) {
    const size_t count = descriptors.size() / kBytes;
    std::vector<uint16_t> right(count);
    for (size_t i = 0; i < count; ++i)
        right[i] = eighth_of_squares(descriptor.data(), descriptors.data() + i * kBytes);
    const Guarded<uint8_t> own(descriptor), others(descriptors);
    const Guarded<uint16_t> found(std::vector<uint16_t>(count, 0xabcd));
    const uint16_t least =
        byte_distances(own.data(), others.data(), static_cast<uint32_t>(count), found.data());
    EXPECT_EQ(found.elements(), right) << count;
    EXPECT_EQ(least, *std::ranges::min_element(right)) << count;
}

TEST(ByteDistances, AgreeWithAPlainLoopForAllCounts) {
    std::mt19937 random(1);
    on_each_target([&] {
        for (const uint32_t count : {1, 2, 3, 5, 8, 13, 33, 150, 601}) {
            const Bytes descriptor = random_bytes(kBytes, random);
            expect_distances(descriptor, neighbours(descriptor, count, random));
        }
    });
}

TEST(ByteDistances, EveryByteCountsOnce) {
    Bytes descriptors(kBytes * kBytes, 100);
    for (size_t i = 0; i < kBytes; ++i)
        descriptors[i * kBytes + i] = static_cast<uint8_t>(100 + (i % 2 == 0 ? 4 : -4));
    on_each_target([&] {
        std::vector<uint16_t> found(kBytes);
        EXPECT_EQ(
            byte_distances(Bytes(kBytes, 100).data(), descriptors.data(), kBytes, found.data()), 2);
        EXPECT_EQ(found, std::vector<uint16_t>(kBytes, 2));
    });
}

TEST(ByteDistances, LargeOnesCountAsTheLargest) {
    on_each_target([&] {
        // The largest of all: 128 * 255 * 255 / 8 = 1,040,400.
        expect_distances(Bytes(kBytes, 255), Bytes(kBytes * 3, 0));
        // Around the limit: 524,280 / 8 is 65,535 exactly.
        Bytes near_limit(kBytes, 64);
        near_limit.back() = 255;
        for (const uint8_t byte : {62, 63, 64, 65}) {
            near_limit[0] = byte;
            expect_distances(Bytes(kBytes, 0), near_limit);
        }
        std::vector<uint16_t> found(1);
        EXPECT_EQ(
            byte_distances(Bytes(kBytes, 255).data(), Bytes(kBytes, 0).data(), 1, found.data()),
            65535);
    });
}

TEST(ByteDistances, FractionsAreCutOff) {
    Bytes other(kBytes, 0);
    other[77] = 3;  // 9 / 8
    on_each_target([&] {
        std::vector<uint16_t> found(1);
        EXPECT_EQ(byte_distances(Bytes(kBytes, 0).data(), other.data(), 1, found.data()), 1);
    });
}

}  // namespace
}  // namespace lookalike

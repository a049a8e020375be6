#include "core/local/bit_distances.h"

#include <gtest/gtest.h>
// As in bit_distances.cpp: the list of targets must be the same.
#define HWY_WANT_AVX3_DL
#include <bit>

#include "each_target.h"
#include "guarded.h"
#include "local_set.h"

namespace lookalike {
namespace {

constexpr size_t kBytes = 8 * kWordsOfBits;

uint16_t differing_bits(const uint8_t* a, const uint8_t* b) {
    int sum = 0;
    for (size_t i = 0; i < kBytes; ++i)
        sum += std::popcount(static_cast<uint8_t>(a[i] ^ b[i]));
    return static_cast<uint16_t>(sum);
}

std::vector<uint64_t> planes_of(const Bytes& descriptors) {
    const size_t count = descriptors.size() / kBytes;
    const Guarded<uint8_t> from(descriptors);
    const Guarded<uint64_t> planes(std::vector<uint64_t>(count * kWordsOfBits));
    plane_words(from.data(), static_cast<uint32_t>(count), planes.data());
    return planes.elements();
}

/// The distances that a plain loop finds, and the least of them.
void expect_distances(const Bytes& descriptor, const Bytes& descriptors) {
    const size_t count = descriptors.size() / kBytes;
    std::vector<uint16_t> right(count);
    for (size_t i = 0; i < count; ++i)
        right[i] = differing_bits(descriptor.data(), descriptors.data() + i * kBytes);
    const Guarded<uint64_t> planes(planes_of(descriptors));
    const Guarded<uint16_t> found(std::vector<uint16_t>(count, 0xabcd));
    const Guarded<uint8_t> own(descriptor);
    const uint16_t least =
        bit_distances(own.data(), planes.data(), static_cast<uint32_t>(count), found.data());
    EXPECT_EQ(found.elements(), right) << count;
    EXPECT_EQ(least, *std::ranges::min_element(right)) << count;
}

TEST(BitDistances, AgreeWithAPlainLoopForAllCounts) {
    std::mt19937 random(1);
    on_each_target([&] {
        for (const uint32_t count : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 150, 599, 10000})
            expect_distances(random_bytes(kBytes, random), random_bytes(kBytes * count, random));
    });
}

TEST(BitDistances, EveryBitCountsOnce) {
    const Bytes none(kBytes, 0);
    Bytes descriptors(kBytes * 256, 0);
    for (size_t bit = 0; bit < 256; ++bit)
        descriptors[bit * kBytes + bit / 8] = static_cast<uint8_t>(1 << bit % 8);
    const std::vector<uint64_t> planes = planes_of(descriptors);
    on_each_target([&] {
        std::vector<uint16_t> found(256);
        EXPECT_EQ(bit_distances(none.data(), planes.data(), 256, found.data()), 1);
        EXPECT_EQ(found, std::vector<uint16_t>(256, 1));
    });
}

TEST(BitDistances, AllBitsMayDiffer) {
    on_each_target([&] {
        for (const uint32_t count : {1, 3, 8, 19})
            expect_distances(Bytes(kBytes, 0xff), Bytes(kBytes * count, 0));
    });
}

TEST(BitDistances, TheLeastIsFoundWhereverItIs) {
    on_each_target([&] {
        for (size_t place = 0; place < 37; ++place) {
            Bytes descriptors(kBytes * 37, 0xff);
            descriptors[place * kBytes + 5] = 0xf0;
            expect_distances(Bytes(kBytes, 0), descriptors);
        }
    });
}

TEST(BitDistances, PlanesHoldTheWordsOfAllDescriptors) {
    std::mt19937 random(2);
    const Bytes descriptors = random_bytes(kBytes * 5, random);
    const std::vector<uint64_t> planes = planes_of(descriptors);
    for (size_t i = 0; i < 5; ++i) {
        for (size_t plane = 0; plane < kWordsOfBits; ++plane) {
            uint64_t word;
            std::memcpy(&word, &descriptors[i * kBytes + plane * 8], 8);
            EXPECT_EQ(planes[plane * 5 + i], word);
        }
    }
}

}  // namespace
}  // namespace lookalike

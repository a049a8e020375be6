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

constexpr size_t kBytes = 32;

uint16_t differing_bits(const uint8_t* a, const uint8_t* b) {
    int sum = 0;
    for (size_t i = 0; i < kBytes; ++i)
        sum += std::popcount(static_cast<uint8_t>(a[i] ^ b[i]));
    return static_cast<uint16_t>(sum);
}

std::vector<BitBlock> blocks_of(const Bytes& descriptors) {
    const auto count = static_cast<uint32_t>(descriptors.size() / kBytes);
    const Guarded<uint8_t> from(descriptors);
    const Guarded<BitBlock> blocks(std::vector<BitBlock>(bit_blocks(count)));
    fill_bit_blocks(from.data(), count, blocks.data());
    return blocks.elements();
}

/// The distances that a plain loop finds, and the least of them.
void expect_distances(const Bytes& descriptor, const Bytes& descriptors) {
    const size_t count = descriptors.size() / kBytes;
    std::vector<uint16_t> right(count);
    for (size_t i = 0; i < count; ++i)
        right[i] = differing_bits(descriptor.data(), descriptors.data() + i * kBytes);
    const Guarded<BitBlock> blocks(blocks_of(descriptors));
    const size_t room = blocks.elements().size() * BitBlock::kFeatures;
    const Guarded<uint16_t> distances(std::vector<uint16_t>(room, 0xabcd));
    const Guarded<uint8_t> own(descriptor);
    const uint16_t least =
        bit_distances(own.data(), blocks.data(), static_cast<uint32_t>(count), distances.data());
    std::vector<uint16_t> found = distances.elements();
    found.resize(count);
    EXPECT_EQ(found, right) << count;
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
    on_each_target([&] {
        const std::vector<BitBlock> blocks = blocks_of(descriptors);
        std::vector<uint16_t> found(256);
        EXPECT_EQ(bit_distances(none.data(), blocks.data(), 256, found.data()), 1);
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

}  // namespace
}  // namespace lookalike

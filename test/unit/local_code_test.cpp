#include "core/local/local_code.h"

#include <gtest/gtest.h>

#include "code_set.h"
#include "local_set.h"

namespace lookalike {
namespace {

std::vector<Code> codes_of(LocalKind kind, const std::vector<LocalSample>& samples) {
    const Bytes value = local_value(local_header(kind, 640, 640), samples);
    // One more, which nobody writes.
    std::vector<Code> codes(samples.size() + 1);
    codes.back().fill(0x5a);
    local_codes(view_local_features(value.data()), codes[0].data());
    for (const uint8_t byte : codes.back())
        EXPECT_EQ(byte, 0x5a);
    codes.pop_back();
    return codes;
}

std::vector<Code> codes_of_numbers(const std::vector<Bytes>& descriptors) {
    std::vector<LocalSample> samples;
    for (const Bytes& descriptor : descriptors)
        samples.push_back({.place = {1, 2, 3, 4, 5}, .descriptor = descriptor});
    return codes_of(LocalKind::kSift, samples);
}

// Half of the sorted numbers come up to the median.
Code code_above_median(const Bytes& numbers) {
    Bytes sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    Code code{};
    for (uint32_t i = 0; i < kLocalCodeBits; ++i)
        if (numbers[i] > sorted[kLocalCodeBits / 2 - 1])
            code[i / 8] |= static_cast<uint8_t>(1u << i % 8);
    return code;
}

// So many zeros, then other numbers.
Bytes numbers_after_zeros(uint32_t zeros) {
    Bytes numbers(kLocalCodeBits);
    for (uint32_t i = zeros; i < kLocalCodeBits; ++i)
        numbers[i] = static_cast<uint8_t>(1 + i);
    return numbers;
}

uint32_t bits_set(const Code& code) {
    return differing_bits(code, Code{});
}

TEST(LocalCode, OfOrbIsTheFirstHalf) {
    std::mt19937 random(1);
    const auto samples = random_samples(LocalKind::kOrb, 70, 0, 40000, random);
    const std::vector<Code> codes = codes_of(LocalKind::kOrb, samples);
    for (size_t i = 0; i < samples.size(); ++i)
        for (size_t byte = 0; byte < kLocalCodeBytes; ++byte)
            EXPECT_EQ(codes[i][byte], samples[i].descriptor[byte]) << i << " " << byte;
}

TEST(LocalCode, OfSiftTellsWhatIsAboveTheMedian) {
    std::mt19937 random(2);
    std::vector<Bytes> descriptors;
    for (const uint32_t values : {2, 3, 10, 100, 256}) {
        for (int i = 0; i < 10; ++i) {
            descriptors.push_back(random_bytes(kLocalCodeBits, random));
            for (uint8_t& number : descriptors.back())
                number = static_cast<uint8_t>(number % values);
        }
    }
    const std::vector<Code> codes = codes_of_numbers(descriptors);
    for (size_t i = 0; i < descriptors.size(); ++i) {
        EXPECT_EQ(codes[i], code_above_median(descriptors[i])) << i;
        EXPECT_LE(bits_set(codes[i]), kLocalCodeBits / 2) << i;
    }
    // The largest number there is.
    Bytes numbers(kLocalCodeBits, 254);
    numbers[13] = 255;
    Code expected{};
    expected[1] = 1 << 5;
    EXPECT_EQ(codes_of_numbers({numbers}).front(), expected);
}

TEST(LocalCode, OfEqualNumbersIsZero) {
    for (const uint8_t value : {0, 1, 128, 255})
        EXPECT_EQ(codes_of_numbers({Bytes(kLocalCodeBits, value)}).front(), Code{}) << +value;
}

TEST(LocalCode, OfManyZerosTellsWhatIsNotZero) {
    for (const uint32_t zeros : {64u, 65u, 100u, 127u}) {
        const Code code = codes_of_numbers({numbers_after_zeros(zeros)}).front();
        EXPECT_EQ(bits_set(code), kLocalCodeBits - zeros) << zeros;
        for (uint32_t i = 0; i < kLocalCodeBits; ++i)
            EXPECT_EQ(code[i / 8] >> i % 8 & 1, i >= zeros) << zeros << " " << i;
    }
    // One less than half: the least of the others is the median.
    EXPECT_EQ(bits_set(codes_of_numbers({numbers_after_zeros(63)}).front()), 64u);
}

TEST(LocalCode, NoFeaturesHaveNone) {
    EXPECT_TRUE(codes_of(LocalKind::kOrb, {}).empty());
    EXPECT_TRUE(codes_of(LocalKind::kSift, {}).empty());
}

}  // namespace
}  // namespace lookalike

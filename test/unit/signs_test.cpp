#include "core/vector/signs.h"

#include <gtest/gtest.h>

#include <vector>

namespace lookalike {
namespace {

TEST(Signs, AreMinusOneAndOneInTheOrderOfTheBits) {
    const uint8_t bits[] = {0b10110000, 0b00000001, 0b11000000};
    const float expected[] = {1, -1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1};
    for (uint32_t dims = 0; dims <= 18; ++dims) {
        std::vector<float> signs(dims + 1, 7);
        bits_to_signs(bits, dims, signs.data());
        for (uint32_t i = 0; i < dims; ++i)
            ASSERT_EQ(signs[i], expected[i]) << i << " of " << dims;
        EXPECT_EQ(signs[dims], 7) << "written beyond " << dims;
    }
}

TEST(Signs, GiveTheirBitsBack) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        const uint8_t bits[] = {static_cast<uint8_t>(byte), static_cast<uint8_t>(~byte)};
        float signs[16];
        uint8_t back[2];
        bits_to_signs(bits, 16, signs);
        signs_to_bits(signs, 16, back);
        ASSERT_EQ(back[0], bits[0]);
        ASSERT_EQ(back[1], bits[1]);
    }
}

}  // namespace
}  // namespace lookalike

#include "core/vector/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lookalike {
namespace {

TEST(Half, EveryValueSurvivesTheWayThroughDouble) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float value = half_to_float(static_cast<uint16_t>(bits));
        if (std::isnan(value)) continue;
        EXPECT_EQ(half_from_double(value), bits) << value;
    }
}

TEST(Half, MidpointsGoToTheEvenNeighbour) {
    for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
        const double low = half_to_float(static_cast<uint16_t>(bits));
        const double high = half_to_float(static_cast<uint16_t>(bits + 1));
        const double middle = (low + high) / 2;
        EXPECT_EQ(half_from_double(middle), bits + (bits & 1));
        EXPECT_EQ(half_from_double(std::nextafter(middle, 0.0)), bits);
        EXPECT_EQ(half_from_double(std::nextafter(middle, 1e6)), bits + 1);
        EXPECT_EQ(half_from_double(-middle), 0x8000 | (bits + (bits & 1)));
    }
}

TEST(Half, OverflowStartsHalfAStepAboveTheMaximum) {
    EXPECT_EQ(half_from_double(65519.99), 0x7bff);
    EXPECT_EQ(half_from_double(65520.0), 0x7c00);
    EXPECT_EQ(half_from_double(-1e300), 0xfc00);
    EXPECT_TRUE(std::isnan(half_to_float(half_from_double(NAN))));
}

}  // namespace
}  // namespace lookalike

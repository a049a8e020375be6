#include "core/vector/text_form.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/vector/half.h"

namespace lookalike {
namespace {

struct Parsed {
    TextFault fault;
    std::string text;  // formatted again
    std::string element;
};

Parsed parse(const std::string& text, Kind number_kind = Kind::kReal) {
    const TextShape shape = text_shape(text);
    if (shape.fault != TextFault::kNone) return {shape.fault, "", ""};
    const Kind kind = shape.is_bit ? Kind::kBit : number_kind;
    std::vector<uint32_t> elements(element_bytes(kind, shape.dims) / 4 + 1);
    const TextResult result = parse_text(text, kind, shape.dims, elements.data());
    if (result.fault != TextFault::kNone) return {result.fault, "", std::string(result.element)};
    std::string out(max_text_bytes(kind, shape.dims), '\0');
    out.resize(format_text({kind, shape.dims, elements.data()}, out.data()));
    return {TextFault::kNone, out, ""};
}

TEST(TextForm, NumbersComeBackInTheirShortestForm) {
    EXPECT_EQ(parse("[1,2.5,-3]").text, "[1,2.5,-3]");
    EXPECT_EQ(parse(" [ 1 ,\t+2.50 , -3e0 ] ").text, "[1,2.5,-3]");
    EXPECT_EQ(parse("[0.1,1e10,1e-10]").text, "[0.1,1e+10,1e-10]");
    EXPECT_EQ(parse("[16777216,3.4028235e38]").text, "[16777216,3.4028235e+38]");
    EXPECT_EQ(parse("[-0]").text, "[-0]");
    EXPECT_EQ(parse("[1e-400,-1e-46,0.0e999]").text, "[0,-0,0]");
    EXPECT_EQ(parse("[1e-45]").text, "[1e-45]");
}

TEST(TextForm, BitsTakeHexOnlyWhenTheLengthAllows) {
    EXPECT_EQ(parse("x0F3a").text, "x0f3a");
    EXPECT_EQ(parse("b10110").text, "b10110");
    EXPECT_EQ(parse("b1011").text, "xb");
    EXPECT_EQ(parse("xabc").text, "xabc");
    EXPECT_EQ(parse(" B0 ").text, "b0");
}

TEST(TextForm, DigitsAloneAreBitsAsPostgresWritesThem) {
    EXPECT_EQ(parse("010").text, "b010");
    EXPECT_EQ(parse("1").text, "b1");
    EXPECT_EQ(parse(" 10110001 ").text, "xb1");
    EXPECT_EQ(parse("0102").fault, TextFault::kBadStart);
    EXPECT_EQ(parse("0x1").fault, TextFault::kBadStart);
    EXPECT_EQ(parse("0 1").fault, TextFault::kBadStart);
    EXPECT_EQ(parse(std::string(kMaxBitDims, '1')).fault, TextFault::kNone);
    EXPECT_EQ(parse(std::string(kMaxBitDims + 1, '1')).fault, TextFault::kTooManyDimensions);
}

TEST(TextForm, EachFaultIsTold) {
    EXPECT_EQ(parse("").fault, TextFault::kEmpty);
    EXPECT_EQ(parse(" \n").fault, TextFault::kEmpty);
    EXPECT_EQ(parse("1,2").fault, TextFault::kBadStart);
    EXPECT_EQ(parse("[]").fault, TextFault::kNoDimensions);
    EXPECT_EQ(parse("[ ]").fault, TextFault::kNoDimensions);
    EXPECT_EQ(parse("x").fault, TextFault::kNoDimensions);
    EXPECT_EQ(parse("[1").fault, TextFault::kUnclosed);
    EXPECT_EQ(parse("[1]2").fault, TextFault::kTrailingText);
    EXPECT_EQ(parse("[1]]").fault, TextFault::kTrailingText);
    EXPECT_EQ(parse("[1,]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[,1]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[1,two]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[1,two]").element, "two");
    EXPECT_EQ(parse("[1 2]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[0x10]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[+-1]").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[[1]]").fault, TextFault::kTrailingText);
    EXPECT_EQ(parse("[nan]").fault, TextFault::kNotANumber);
    EXPECT_EQ(parse("[-NaN]").fault, TextFault::kNotANumber);
    EXPECT_EQ(parse("[1,Infinity]").fault, TextFault::kInfinite);
    EXPECT_EQ(parse("[-inf]").fault, TextFault::kInfinite);
    EXPECT_EQ(parse("[4e38]").fault, TextFault::kOutOfRange);
    EXPECT_EQ(parse("[1e999]").fault, TextFault::kOutOfRange);
    EXPECT_EQ(parse("[1e99999999999999999999]").fault, TextFault::kOutOfRange);
    EXPECT_EQ(parse("[0.1e-99999999999999999999]").text, "[0]");
    EXPECT_EQ(parse("[" + std::string(400, '1') + "]").fault, TextFault::kOutOfRange);
    EXPECT_EQ(parse("[0." + std::string(400, '0') + "1]").text, "[0]");
    EXPECT_EQ(parse("b102").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("x0g").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("b1 0").fault, TextFault::kBadElement);
    EXPECT_EQ(parse("[65520]", Kind::kHalf).fault, TextFault::kOutOfRange);
}

TEST(TextForm, DimensionsAreLimitedByKind) {
    std::string text = "[1";
    for (uint32_t i = 1; i < kMaxDims; ++i)
        text += ",1";
    EXPECT_EQ(parse(text + "]").fault, TextFault::kNone);
    EXPECT_EQ(parse(text + ",1]").fault, TextFault::kTooManyDimensions);
    EXPECT_EQ(parse("b" + std::string(kMaxBitDims, '1')).fault, TextFault::kNone);
    EXPECT_EQ(parse("b" + std::string(kMaxBitDims + 1, '1')).fault, TextFault::kTooManyDimensions);
    EXPECT_EQ(parse("x" + std::string(kMaxBitDims / 4 + 1, '1')).fault,
              TextFault::kTooManyDimensions);
}

TEST(TextForm, EveryHalfRoundTripsInAtMostTheTextOfItsFloat) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        const uint16_t half = static_cast<uint16_t>(bits);
        const float value = half_to_float(half);
        if (!std::isfinite(value)) continue;
        char as_half[64], as_real[64];
        const std::string text(as_half, format_text({Kind::kHalf, 1, &half}, as_half));
        ASSERT_LE(text.size(), format_text({Kind::kReal, 1, &value}, as_real)) << text;
        uint16_t back;
        ASSERT_EQ(parse_text(text, Kind::kHalf, 1, &back).fault, TextFault::kNone) << text;
        ASSERT_EQ(back, half) << text;
    }
    EXPECT_EQ(parse("[0.1,65504,2049]", Kind::kHalf).text, "[0.1,65504,2048]");
}

TEST(TextForm, RandomFloatsRoundTrip) {
    std::mt19937 random(1);
    for (int i = 0; i < 200000; ++i) {
        const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
        if (!std::isfinite(value)) continue;
        char text[64];
        const std::string_view written(text, format_text({Kind::kReal, 1, &value}, text));
        ASSERT_LE(written.size(), max_text_bytes(Kind::kReal, 1));
        float back;
        ASSERT_EQ(parse_text(written, Kind::kReal, 1, &back).fault, TextFault::kNone) << written;
        ASSERT_EQ(std::bit_cast<uint32_t>(back), std::bit_cast<uint32_t>(value)) << written;
    }
}

}  // namespace
}  // namespace lookalike

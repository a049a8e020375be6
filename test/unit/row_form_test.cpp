#include "core/cluster/row_form.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "core/vector/half.h"

namespace lookalike {
namespace {

std::vector<float> floats_of(const RowForm& form, const DescriptorView& row) {
    alignas(8) uint8_t kept[64];
    std::vector<float> floats(form.dims);
    EXPECT_TRUE(keep_row(form, row, kept));
    kept_to_floats(form, kept, floats.data());
    return floats;
}

TEST(RowForm, KeepsValuesOfEachKind) {
    const float reals[] = {1.5f, -2, 0};
    const DescriptorView real{Kind::kReal, 3, reals};
    EXPECT_EQ(floats_of(learning_form(real, Metric::kL2), real), (std::vector<float>{1.5f, -2, 0}));
    const uint16_t halves[] = {half_from_double(1.5), half_from_double(-2), 0x8000};
    const DescriptorView half{Kind::kHalf, 3, halves};
    const RowForm half_form = learning_form(half, Metric::kL2);
    EXPECT_EQ(half_form.bytes(), 6u);
    EXPECT_EQ(floats_of(half_form, half), (std::vector<float>{1.5f, -2, 0}));
    const uint8_t bits[] = {0b10100000};
    const DescriptorView bit{Kind::kBit, 4, bits};
    EXPECT_EQ(floats_of(learning_form(bit, Metric::kHamming), bit),
              (std::vector<float>{1, -1, 1, -1}));
}

TEST(RowForm, RowsThatAreAlikeHaveTheSameBytes) {
    const float zero[] = {0, 1}, negative_zero[] = {-0.0f, 1};
    const RowForm form{Kind::kReal, 2, false};
    float a[2], b[2];
    ASSERT_TRUE(keep_row(form, {Kind::kReal, 2, zero}, a));
    ASSERT_TRUE(keep_row(form, {Kind::kReal, 2, negative_zero}, b));
    EXPECT_EQ(row_hash(a, sizeof a), row_hash(b, sizeof b));
}

TEST(RowForm, CosineKeepsDirections) {
    const uint16_t halves[] = {half_from_double(3), half_from_double(-4)};
    const DescriptorView half{Kind::kHalf, 2, halves};
    const RowForm form = learning_form(half, Metric::kCosine);
    EXPECT_EQ(form.kind, Kind::kReal);
    EXPECT_EQ(floats_of(form, half), (std::vector<float>{0.6f, -0.8f}));
    const float tiny[] = {3e-44f, 0};
    EXPECT_EQ(floats_of(form, {Kind::kReal, 2, tiny}), (std::vector<float>{1, 0}));
    const float huge[] = {3e38f, 3e38f};
    EXPECT_NEAR(floats_of(form, {Kind::kReal, 2, huge})[0], std::sqrt(0.5), 1e-6);
    const float none[] = {0, -0.0f};
    float kept[2];
    EXPECT_FALSE(keep_row(form, {Kind::kReal, 2, none}, kept));
}

TEST(RowForm, HashesTellRowsApart) {
    std::set<uint64_t> hashes;
    for (float first = 0; first < 64; ++first) {
        for (float second = 0; second < 64; ++second) {
            const float row[] = {first, second, 0};
            for (const size_t bytes : {8u, 9u, 12u})
                hashes.insert(row_hash(row, bytes));
        }
    }
    EXPECT_EQ(hashes.size(), 3u * 64 * 64);
}

}  // namespace
}  // namespace lookalike

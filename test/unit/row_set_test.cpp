#include "core/split/row_set.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lookalike {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(RowSet, KeepsAViewOfValuesThatWillDo) {
    const std::function<void()> none;
    Checkpoint checkpoint(none);
    const std::vector<float> values = {1, 2, -3, 0x1p50f};
    const RowSet rows(values, 2, checkpoint);
    EXPECT_EQ(rows.count(), 2u);
    EXPECT_EQ(rows[1].data(), &values[2]);
    EXPECT_EQ(rows.scaled(7), 7);
    EXPECT_EQ(rows.original(7), 7);
}

// Centroids to start from are told as the values are.
TEST(RowSet, ScalesWhatIsToldAsItScalesValues) {
    const std::function<void()> none;
    Checkpoint checkpoint(none);
    for (const float factor : {1e-44f, 1e-30f, 1e-13f, 1e16f, 1e25f, 1e37f}) {
        SCOPED_TRACE(factor);
        // Where most values are too large, one that is not need not come back.
        const float other = factor > 1 ? 1 : 0;
        const std::vector<float> values = {factor, 2 * factor, -3 * factor, 0, 2 * factor, other};
        const RowSet rows(values, 2, checkpoint);
        EXPECT_NE(rows.scaled(factor), factor);
        for (size_t i = 0; i < values.size(); ++i) {
            EXPECT_EQ(rows.scaled(values[i]), rows[i / 2][i % 2]) << i;
            if (values[i] == 1) continue;
            EXPECT_EQ(rows.original(rows.scaled(values[i])), values[i]) << i;
        }
    }
}

TEST(RowSet, ScalesAnythingToAFloat) {
    const std::function<void()> none;
    Checkpoint checkpoint(none);
    for (const float value : {1.0f, 1e-45f, 1e38f}) {
        const std::vector<float> values(4, value);
        const RowSet rows(values, 2, checkpoint);
        EXPECT_EQ(rows.scaled(NAN), 0);
        for (const float any : {kInfinity, -kInfinity, 3e38f, -3e38f}) {
            EXPECT_TRUE(std::isfinite(rows.scaled(any))) << any;
            EXPECT_EQ(std::signbit(rows.scaled(any)), std::signbit(any));
        }
    }
}

}  // namespace
}  // namespace lookalike

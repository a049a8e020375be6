#include "core/measure/query_draw.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

// Every row has the same chance to be a query, and to be one of either kind.
TEST(QueryDraw, QueriesAreDrawnFromEverywhere) {
    int chosen[4] = {};
    QueryDraw draw({.all_rows = 1000, .near_lists = 3000}, 40000);
    int full = 0;
    for (int row = 0; row < 40000; ++row) {
        const std::optional<Meets> meets = draw.next();
        if (!meets) continue;
        ++chosen[row / 10000];
        full += *meets == Meets::kAllRows;
    }
    EXPECT_EQ(chosen[0] + chosen[1] + chosen[2] + chosen[3], 4000);
    EXPECT_EQ(full, 1000);
    for (const int count : chosen)
        EXPECT_NEAR(count, 1000, 100);
    QueryDraw all({.all_rows = 30, .near_lists = 90}, 40);
    full = 0;
    for (int row = 0; row < 40; ++row)
        full += all.next().value() == Meets::kAllRows;
    EXPECT_NEAR(full, 10, 8);
}

}  // namespace
}  // namespace lookalike

#include "tools/bench/filter_truth.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

// Row i lies at i / 2, so that every distance occurs twice; queries at both ends.
Dataset rows_on_a_line(uint32_t count) {
    Dataset set;
    set.base.dims = set.queries.dims = 1;
    for (uint32_t i = 0; i < count; ++i)
        set.base.values.push_back(static_cast<float>(i / 2));
    set.queries.values = {-1, 1000};
    return set;
}

struct FilterTruthTest : testing::Test {
    static constexpr uint32_t kRows = 1000;
    FilterTruthTest() {
        for (uint32_t i = 0; i < kRows; ++i) {
            odd.push_back(i % 2);
            hundreds.push_back(static_cast<uint16_t>(i / 100));
            rare.push_back(i == 500 || i == 501);
        }
    }
    Dataset set = rows_on_a_line(kRows);
    AttributeValues odd, hundreds, rare;
};

TEST_F(FilterTruthTest, CountsRowsThatPass) {
    const FilterTruth truth(
        set, {{&odd, {0, 1}}, {&hundreds, {9, 0}}, {&rare, {1, 1}}, {&rare, {7, 1}}}, 3);
    EXPECT_EQ(truth.match_count(0, 0), 500u);
    EXPECT_EQ(truth.match_count(1, 1), 100u);
    EXPECT_EQ(truth.match_count(2, 0), 2u);
    EXPECT_EQ(truth.match_count(3, 0), 0u);
    EXPECT_EQ(truth.match_count(3, 1), 2u);
}

TEST_F(FilterTruthTest, OnlyRowsThatPassAreFound) {
    const FilterTruth truth(set, {{&odd, {0, 1}}, {&hundreds, {9, 0}}}, 3);
    EXPECT_EQ(truth.recall(0, 0, {0, 2, 4}), 1);
    EXPECT_NEAR(truth.recall(0, 0, {0, 1, 2}), 2.0 / 3, 1e-9) << "row 1 is odd";
    EXPECT_EQ(truth.recall(0, 1, {999, 997, 995}), 1);
    EXPECT_EQ(truth.recall(1, 0, {900, 901, 902}), 1);
    EXPECT_EQ(truth.recall(1, 0, {900, 901, 903}), 1) << "as near as row 902";
    EXPECT_NEAR(truth.recall(1, 0, {900, 901, 904}), 2.0 / 3, 1e-9);
    EXPECT_EQ(truth.recall(1, 1, {99, 98, 97}), 1);
}

TEST_F(FilterTruthTest, NoRowCountsTwice) {
    const FilterTruth truth(set, {{&odd, {0, 1}}}, 3);
    EXPECT_NEAR(truth.recall(0, 0, {0, 0, 0}), 1.0 / 3, 1e-9);
    EXPECT_EQ(truth.recall(0, 0, {}), 0);
    EXPECT_EQ(truth.recall(0, 0, {123456}), 0);
}

TEST_F(FilterTruthTest, FewRowsAreAllThatCanBeFound) {
    const FilterTruth truth(set, {{&rare, {1, 9}}}, 3);
    EXPECT_EQ(truth.recall(0, 0, {500, 501}), 1);
    EXPECT_EQ(truth.recall(0, 0, {501}), 0.5);
    EXPECT_EQ(truth.recall(0, 1, {}), 1) << "nothing passes, nothing is missing";
}

}  // namespace
}  // namespace lookalike

#include "tools/bench/filter_workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>

namespace lookalike {
namespace {

Dataset random_set(uint32_t rows, uint32_t queries) {
    std::mt19937_64 random(5);
    Dataset set;
    set.base.dims = set.queries.dims = 4;
    for (uint32_t i = 0; i < rows * 4; ++i)
        set.base.values.push_back(static_cast<float>(random() % 1000));
    for (uint32_t i = 0; i < queries * 4; ++i)
        set.queries.values.push_back(static_cast<float>(random() % 1000));
    return set;
}

TEST(FilterWorkload, ColumnsHaveAValueForEachRow) {
    const FilterWorkload workload = make_workload(random_set(2000, 20), 7);
    ASSERT_EQ(workload.columns.size(), kColumnCount);
    EXPECT_EQ(workload.columns[0].name, "independent_2");
    EXPECT_EQ(workload.columns[9].name, "correlated_10000");
    for (const FilterColumn& column : workload.columns) {
        ASSERT_EQ(column.values.size(), 2000u) << column.name;
        EXPECT_LT(std::ranges::max(column.values), column.value_count) << column.name;
    }
}

TEST(FilterWorkload, CellsAskForExistingClusters) {
    const FilterWorkload workload = make_workload(random_set(2000, 20), 7);
    ASSERT_EQ(workload.cells.size(), 15u);
    for (size_t level = 0; level < kValueCounts.size(); ++level) {
        EXPECT_EQ(workload.cells[level].attribute, kIndependent);
        const FilterQuestions& near = workload.cells[5 + level];
        const FilterQuestions& far = workload.cells[10 + level];
        EXPECT_EQ(near.attribute, kNear);
        EXPECT_EQ(far.attribute, kFar);
        EXPECT_EQ(near.column, far.column);
        const AttributeValues& values = workload.columns[near.column].values;
        EXPECT_EQ(workload.columns[near.column].value_count, kValueCounts[level]);
        ASSERT_EQ(near.wanted.size(), 7u);
        ASSERT_EQ(far.wanted.size(), 7u);
        for (size_t query = 0; query < 7; ++query) {
            EXPECT_NE(near.wanted[query], far.wanted[query]);
            EXPECT_GT(std::ranges::count(values, near.wanted[query]), 0);
            EXPECT_GT(std::ranges::count(values, far.wanted[query]), 0);
        }
    }
}

TEST(FilterWorkload, FewerQueriesAskTheSame) {
    const Dataset set = random_set(2000, 20);
    const FilterWorkload few = make_workload(set, 3), more = make_workload(set, 20);
    for (size_t i = 0; i < few.cells.size(); ++i) {
        EXPECT_TRUE(
            std::ranges::equal(few.cells[i].wanted, std::span(more.cells[i].wanted).first(3)));
    }
}

}  // namespace
}  // namespace lookalike

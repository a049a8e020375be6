// What is asked: the attribute columns of the rows, and a condition for each cell of the benchmark.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/dataset.h"
#include "tools/bench/filter_attributes.h"

namespace lookalike {

constexpr const char* kIndependent = "independent";
constexpr const char* kNear = "correlated, near";
constexpr const char* kFar = "correlated, far";

constexpr size_t kColumnCount = 2 * kValueCounts.size();

struct FilterColumn {
    std::string name;
    uint32_t value_count;
    AttributeValues values;  ///< of the base rows
};

/// Queries that ask "column = wanted".
struct FilterQuestions {
    std::string attribute;
    size_t column;
    AttributeValues wanted;  ///< one a query
};

struct FilterWorkload {
    std::vector<FilterColumn> columns;  ///< kColumnCount: the independent ones, then the correlated
    std::vector<FilterQuestions> cells;
};

/// For the first `query_count` queries. REQUIRES: as many are there.
FilterWorkload make_workload(const Dataset& set, uint32_t query_count);

}  // namespace lookalike

// What was measured of filtered searches as Markdown tables, held against the marks.
#pragma once

#include <string>

#include "tools/bench/filter_result.h"

namespace lookalike {

/// How one cell's default choice stands. A ratio is 0 when a side of it was not measured.
struct CellVerdict {
    double to_pgvector = 0;     ///< queries a second, ours to pgvector's
    bool finds_as_many = true;  ///< recall equal to pgvector's or better
    double times_slower = 0;    ///< than the faster of the exact plan and the plain index
    std::string failed;         ///< marks that are missed, empty for none: "recall, pgvector"
};

/// REQUIRES: the cell has a measure of kDefaultChoice.
CellVerdict judge(const FilterCell& cell);

/// "0.1 %" for 1,000 values.
std::string passing_share(uint32_t value_count);

/// Marks, then a table for each attribute, then everything.
std::string filter_section(const FilterResult& result);

}  // namespace lookalike

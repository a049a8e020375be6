// A plot of queries a second against the share of rows that pass a filter.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/filter_result.h"

namespace lookalike {

/// SVG; one line a system for each of `attributes`, those of the second dashed.
/// REQUIRES: the result has a cell of one of them.
std::string filter_plot_svg(const std::string& title, const FilterResult& result,
                            const std::vector<std::string>& attributes);

}  // namespace lookalike

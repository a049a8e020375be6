// A plot of recall against queries a second.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/result.h"

namespace lookalike {

/// SVG; one line a system, of its points with one client. Speed is logarithmic.
/// REQUIRES: some point with a recall of at least kLeastPlottedRecall.
std::string plot_svg(const std::string& title, const std::vector<BenchResult>& results);

constexpr double kLeastPlottedRecall = 0.8;

}  // namespace lookalike

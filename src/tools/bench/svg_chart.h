// What the plots share: the frame, the legend and a logarithmic axis of speed.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace lookalike {

struct ChartLine {
    std::string name;  ///< in the legend
    std::string colour;
    bool is_dashed = false;
    std::vector<std::pair<double, double>> points;  ///< place from the left (0 to 1), queries/s
};

struct ChartTick {
    double place;  ///< 0 to 1
    std::string label;
};

struct Chart {
    std::string title;
    std::string x_title;
    std::vector<ChartTick> x_ticks;
    std::vector<ChartLine> lines;
};

/// Six colours that can be told apart, then the same again.
const char* chart_colour(size_t index);

/// SVG. REQUIRES: some line has a point.
std::string chart_svg(const Chart& chart);

}  // namespace lookalike

#include "tools/bench/plot.h"

#include <algorithm>
#include <cmath>

#include "tools/bench/svg_chart.h"

namespace lookalike {
namespace {

// The axis of recall stretches towards 1, where systems differ.
double place_of(double recall) {
    const auto stretch = [](double value) { return -std::log10(1.004 - value); };
    const double least = stretch(kLeastPlottedRecall);
    return (stretch(recall) - least) / (stretch(1) - least);
}

ChartLine line_of(const BenchResult& result, size_t index) {
    ChartLine line{.name = result.system, .colour = chart_colour(index), .points = {}};
    for (const BenchPoint& point : result.points) {
        if (point.client_count == 1 && point.recall >= kLeastPlottedRecall)
            line.points.emplace_back(place_of(point.recall), point.queries_per_second);
    }
    std::ranges::sort(line.points);
    return line;
}

}  // namespace

std::string plot_svg(const std::string& title, const std::vector<BenchResult>& results) {
    Chart chart{.title = title, .x_title = "recall of the 10 nearest", .x_ticks = {}, .lines = {}};
    for (const char* recall : {"0.8", "0.9", "0.95", "0.97", "0.98", "0.99", "0.995", "1"})
        chart.x_ticks.push_back({place_of(std::stod(recall)), recall});
    for (size_t i = 0; i < results.size(); ++i)
        chart.lines.push_back(line_of(results[i], i));
    return chart_svg(chart);
}

}  // namespace lookalike

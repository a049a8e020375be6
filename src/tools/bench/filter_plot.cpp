#include "tools/bench/filter_plot.h"

#include <cmath>

#include "tools/bench/filter_attributes.h"
#include "tools/bench/filter_report.h"
#include "tools/bench/svg_chart.h"

namespace lookalike {
namespace {

constexpr const char* kSystems[] = {kDefaultChoice, kFilterIndex, kPlainIndex,
                                    kExact,         kPgvector,    kPgvectorPartial};

// Logarithmic; many rows pass on the left, few on the right.
double place_of(uint32_t value_count) {
    const double least = std::log(kValueCounts.front()), most = std::log(kValueCounts.back());
    return (std::log(value_count) - least) / (most - least);
}

ChartLine line_of(const FilterResult& result, const std::string& attribute,
                  const std::string& system) {
    ChartLine line;
    for (const FilterCell& cell : result.cells) {
        const FilterMeasure* measure = find_measure(cell, system);
        if (cell.attribute == attribute && measure)
            line.points.emplace_back(place_of(cell.value_count), measure->queries_per_second);
    }
    return line;
}

}  // namespace

std::string filter_plot_svg(const std::string& title, const FilterResult& result,
                            const std::vector<std::string>& attributes) {
    Chart chart{.title = title, .x_title = "rows that pass", .x_ticks = {}, .lines = {}};
    for (const uint32_t value_count : kValueCounts)
        chart.x_ticks.push_back({place_of(value_count), passing_share(value_count)});
    for (size_t i = 0; i < std::size(kSystems); ++i) {
        for (const std::string& attribute : attributes) {
            ChartLine line = line_of(result, attribute, kSystems[i]);
            if (line.points.empty()) continue;
            line.name = kSystems[i];
            if (attributes.size() > 1) line.name += attribute.substr(attribute.find(','));
            line.colour = chart_colour(i);
            line.is_dashed = attribute != attributes.front();
            chart.lines.push_back(std::move(line));
        }
    }
    return chart_svg(chart);
}

}  // namespace lookalike

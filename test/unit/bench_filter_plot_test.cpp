#include "tools/bench/filter_plot.h"

#include <gtest/gtest.h>

#include "tools/bench/svg_chart.h"

namespace lookalike {
namespace {

size_t count_of(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

FilterMeasure measured(const char* system, double queries_per_second) {
    FilterMeasure measure;
    measure.system = system;
    measure.queries_per_second = queries_per_second;
    return measure;
}

FilterResult two_attributes() {
    FilterResult result;
    for (const uint32_t value_count : {2u, 10000u}) {
        for (const char* attribute : {"correlated, near", "correlated, far"}) {
            FilterCell cell{attribute, value_count, 1, {}};
            cell.measures = {measured(kDefaultChoice, 1000), measured(kExact, 10)};
            result.cells.push_back(cell);
        }
    }
    return result;
}

TEST(FilterPlot, OneLineASystemAndAttribute) {
    const std::string svg =
        filter_plot_svg("some title", two_attributes(), {"correlated, near", "correlated, far"});
    EXPECT_EQ(count_of(svg, "<polyline"), 4u);
    EXPECT_EQ(count_of(svg, "<circle"), 8u);
    EXPECT_EQ(count_of(svg, "stroke-dasharray"), 4u) << "far: its line and its legend, twice";
    EXPECT_EQ(count_of(svg, ">lookalike, near<"), 1u);
    EXPECT_EQ(count_of(svg, ">exact, btree, far<"), 1u);
    EXPECT_EQ(count_of(svg, ">some title<"), 1u);
    EXPECT_EQ(count_of(svg, ">0.01 %<"), 1u);
}

TEST(FilterPlot, SpeedIsLogarithmicFromTopToBottom) {
    const std::string svg = filter_plot_svg("", two_attributes(), {"correlated, near"});
    EXPECT_EQ(count_of(svg, "<polyline"), 2u);
    EXPECT_NE(svg.find("points='80,50 700,50 '"), std::string::npos) << "1,000 a second";
    EXPECT_NE(svg.find("points='80,420 700,420 '"), std::string::npos) << "10 a second";
}

}  // namespace
}  // namespace lookalike

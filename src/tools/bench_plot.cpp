#include "tools/bench_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace lookalike {
namespace {

constexpr double kLeft = 80, kRight = 700, kTop = 50, kBottom = 420;
constexpr std::array<const char*, 6> kColours = {"#c0392b", "#2471a3", "#1e8449",
                                                 "#b7950b", "#7d3c98", "#515a5a"};

// The axis of recall stretches towards 1, where systems differ.
double x_of(double recall) {
    const auto stretch = [](double value) { return -std::log10(1.004 - value); };
    const double least = stretch(kLeastPlottedRecall);
    return kLeft + (kRight - kLeft) * (stretch(recall) - least) / (stretch(1) - least);
}

struct SpeedAxis {
    double least;  ///< powers of ten
    double most;

    double y_of(double speed) const {
        return kBottom - (kBottom - kTop) * (std::log10(speed) - least) / (most - least);
    }
};

std::vector<BenchPoint> plotted_points(const BenchResult& result) {
    std::vector<BenchPoint> points;
    std::ranges::copy_if(result.points, std::back_inserter(points), [](const BenchPoint& point) {
        return point.client_count == 1 && point.recall >= kLeastPlottedRecall;
    });
    std::ranges::sort(points, {}, &BenchPoint::recall);
    return points;
}

SpeedAxis axis_for(const std::vector<BenchResult>& results) {
    double least = 1e9, most = 0;
    for (const BenchResult& result : results) {
        for (const BenchPoint& point : plotted_points(result)) {
            least = std::min(least, point.queries_per_second);
            most = std::max(most, point.queries_per_second);
        }
    }
    return {std::floor(std::log10(least)), std::ceil(std::log10(most))};
}

void draw_line(std::ostream& out, double x1, double y1, double x2, double y2) {
    out << "<line x1='" << x1 << "' y1='" << y1 << "' x2='" << x2 << "' y2='" << y2
        << "' stroke='#dddddd'/>\n";
}

void draw_text(std::ostream& out, double x, double y, const char* anchor, const std::string& text) {
    out << "<text x='" << x << "' y='" << y << "' text-anchor='" << anchor << "'>" << text
        << "</text>\n";
}

void draw_grid(std::ostream& out, const SpeedAxis& axis) {
    for (const char* recall : {"0.8", "0.9", "0.95", "0.97", "0.98", "0.99", "0.995", "1"}) {
        const double x = x_of(std::stod(recall));
        draw_line(out, x, kTop, x, kBottom);
        draw_text(out, x, kBottom + 18, "middle", recall);
    }
    for (double power = axis.least; power <= axis.most; ++power) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double speed = factor * std::pow(10, power);
            if (std::log10(speed) > axis.most) break;
            draw_line(out, kLeft, axis.y_of(speed), kRight, axis.y_of(speed));
            draw_text(out, kLeft - 8, axis.y_of(speed) + 4, "end",
                      std::to_string(std::lround(speed)));
        }
    }
    draw_text(out, (kLeft + kRight) / 2, kBottom + 40, "middle", "recall of the 10 nearest");
    draw_text(out, 8, kTop - 12, "start", "queries a second");
}

void draw_system(std::ostream& out, const SpeedAxis& axis, const BenchResult& result,
                 size_t index) {
    const std::string colour = kColours[index % kColours.size()];
    const auto points = plotted_points(result);
    out << "<polyline fill='none' stroke='" << colour << "' stroke-width='2' points='";
    for (const BenchPoint& point : points)
        out << x_of(point.recall) << ',' << axis.y_of(point.queries_per_second) << ' ';
    out << "'/>\n";
    for (const BenchPoint& point : points) {
        out << "<circle cx='" << x_of(point.recall) << "' cy='"
            << axis.y_of(point.queries_per_second) << "' r='3' fill='" << colour << "'/>\n";
    }
    const double y = kTop + 16 + 20 * static_cast<double>(index);
    out << "<circle cx='" << kRight + 20 << "' cy='" << y - 4 << "' r='5' fill='" << colour
        << "'/>\n";
    draw_text(out, kRight + 32, y, "start", result.system);
}

}  // namespace

std::string plot_svg(const std::string& title, const std::vector<BenchResult>& results) {
    std::ostringstream out;
    out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 860 480' font-family='sans-serif' "
           "font-size='12'>\n<rect width='860' height='480' fill='white'/>\n";
    draw_text(out, (kLeft + kRight) / 2, 24, "middle", title);
    const SpeedAxis axis = axis_for(results);
    draw_grid(out, axis);
    for (size_t i = 0; i < results.size(); ++i)
        draw_system(out, axis, results[i], i);
    out << "</svg>\n";
    return out.str();
}

}  // namespace lookalike

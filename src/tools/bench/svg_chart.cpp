#include "tools/bench/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace lookalike {
namespace {

constexpr double kLeft = 80, kRight = 700, kTop = 50, kBottom = 420;
constexpr std::array<const char*, 6> kColours = {"#c0392b", "#2471a3", "#1e8449",
                                                 "#b7950b", "#7d3c98", "#515a5a"};

double x_of(double place) {
    return kLeft + (kRight - kLeft) * place;
}

struct SpeedAxis {
    double least;  ///< powers of ten
    double most;

    double y_of(double speed) const {
        return kBottom - (kBottom - kTop) * (std::log10(speed) - least) / (most - least);
    }
};

SpeedAxis axis_for(const std::vector<ChartLine>& lines) {
    double least = 1e9, most = 0;
    for (const ChartLine& line : lines) {
        for (const auto& [place, speed] : line.points) {
            least = std::min(least, speed);
            most = std::max(most, speed);
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

void draw_grid(std::ostream& out, const SpeedAxis& axis, const Chart& chart) {
    for (const ChartTick& tick : chart.x_ticks) {
        const double x = x_of(tick.place);
        draw_line(out, x, kTop, x, kBottom);
        draw_text(out, x, kBottom + 18, "middle", tick.label);
    }
    for (double power = axis.least; power <= axis.most; ++power) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double speed = factor * std::pow(10, power);
            if (std::log10(speed) > axis.most) break;
            draw_line(out, kLeft, axis.y_of(speed), kRight, axis.y_of(speed));
            std::ostringstream label;
            label << speed;
            draw_text(out, kLeft - 8, axis.y_of(speed) + 4, "end", label.str());
        }
    }
    draw_text(out, (kLeft + kRight) / 2, kBottom + 40, "middle", chart.x_title);
    draw_text(out, 8, kTop - 12, "start", "queries a second");
}

void draw_chart_line(std::ostream& out, const SpeedAxis& axis, const ChartLine& line,
                     size_t index) {
    const char* dashes = line.is_dashed ? " stroke-dasharray='5 4'" : "";
    out << "<polyline fill='none' stroke='" << line.colour << "' stroke-width='2'" << dashes
        << " points='";
    for (const auto& [place, speed] : line.points)
        out << x_of(place) << ',' << axis.y_of(speed) << ' ';
    out << "'/>\n";
    for (const auto& [place, speed] : line.points) {
        out << "<circle cx='" << x_of(place) << "' cy='" << axis.y_of(speed) << "' r='3' fill='"
            << line.colour << "'/>\n";
    }
    const double y = kTop + 16 + 20 * static_cast<double>(index);
    out << "<path d='M" << kRight + 10 << ' ' << y - 4 << "h24' stroke-width='3' stroke='"
        << line.colour << "'" << dashes << "/>\n";
    draw_text(out, kRight + 40, y, "start", line.name);
}

}  // namespace

const char* chart_colour(size_t index) {
    return kColours[index % kColours.size()];
}

std::string chart_svg(const Chart& chart) {
    std::ostringstream out;
    out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 980 480' font-family='sans-serif' "
           "font-size='12'>\n<rect width='980' height='480' fill='white'/>\n";
    draw_text(out, (kLeft + kRight) / 2, 24, "middle", chart.title);
    const SpeedAxis axis = axis_for(chart.lines);
    draw_grid(out, axis, chart);
    for (size_t i = 0; i < chart.lines.size(); ++i)
        draw_chart_line(out, axis, chart.lines[i], i);
    out << "</svg>\n";
    return out.str();
}

}  // namespace lookalike

#include "image/match_drawing.h"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/local/set_match.h"
#include "image/decode.h"

namespace lookalike {
namespace {

constexpr int kGap = 16;
/// More lines hide each other.
constexpr size_t kMostLines = 60;
constexpr int kJpegQuality = 90;
const cv::Scalar kOutline(40, 60, 230);
/// Blue, green, red. Neighbouring lines can be told apart.
const cv::Scalar kLines[] = {{60, 180, 75},  {200, 130, 0},  {48, 130, 245},
                             {180, 30, 145}, {230, 190, 30}, {0, 200, 230}};

/// A picture, where it is drawn, and what was found in it.
struct Panel {
    std::vector<uint8_t> value;
    cv::Mat shown;
    int left = 0;
    int top = 0;

    LocalFeatures features() const { return view_local_features(value.data()); }
    /// Of pixels of the picture itself.
    cv::Point2d on_canvas(double x, double y) const {
        const LocalFeaturesHeader header = features().header;
        return {left + x * shown.cols / header.width, top + y * shown.rows / header.height};
    }
    cv::Point2d on_canvas(uint32_t feature) const {
        const PicturePoint point = point_of(features(), feature);
        return on_canvas(point.x, point.y);
    }
};

Panel make_panel(std::span<const uint8_t> image, const LocalExtraction& wanted, uint32_t size,
                 const ImageLimits& limits) {
    Panel panel;
    panel.value = extract_local_features(image, wanted, limits);
    const cv::Mat decoded = decode_opaque_image(image, limits, uint64_t{size} * size);
    const double scale =
        std::min(1.0, static_cast<double>(size) / std::max(decoded.cols, decoded.rows));
    panel.shown = resized(decoded, std::max(1, static_cast<int>(decoded.cols * scale)),
                          std::max(1, static_cast<int>(decoded.rows * scale)));
    return panel;
}

/// To a sixteenth of a pixel.
constexpr int kShift = 4;
cv::Point fine(cv::Point2d point) {
    const auto clamped = [](double value) { return std::clamp(value, -30000.0, 30000.0); };
    return {static_cast<int>(clamped(point.x) * (1 << kShift)),
            static_cast<int>(clamped(point.y) * (1 << kShift))};
}

void draw_outline(cv::Mat& canvas, const Panel& a, const Panel& b, const SetMatch& match) {
    if (match.distance() > kSameDistance) return;
    const LocalFeaturesHeader header = b.features().header;
    const double width = header.width, height = header.height;
    const double* m = match.movement;
    std::vector<cv::Point> corners;
    for (const auto& [x, y] : {std::pair{0.0, 0.0}, {width, 0.0}, {width, height}, {0.0, height}})
        corners.push_back(
            fine(a.on_canvas(m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5])));
    cv::Mat panel = canvas(cv::Rect(a.left, a.top, a.shown.cols, a.shown.rows));
    for (cv::Point& corner : corners)
        corner -= cv::Point(a.left, a.top) * (1 << kShift);
    cv::polylines(panel, corners, true, cv::Scalar::all(255), 5, cv::LINE_AA, kShift);
    cv::polylines(panel, corners, true, kOutline, 3, cv::LINE_AA, kShift);
}

void draw_lines(cv::Mat& canvas, const Panel& a, const Panel& b,
                std::span<const MatchedPair> pairs) {
    for (size_t i = 0; i < std::min(pairs.size(), kMostLines); ++i) {
        const cv::Scalar& colour = kLines[i % std::size(kLines)];
        const cv::Point from = fine(a.on_canvas(pairs[i].a)), to = fine(b.on_canvas(pairs[i].b));
        cv::line(canvas, from, to, colour, 1, cv::LINE_AA, kShift);
        for (const cv::Point& end : {from, to})
            cv::circle(canvas, end, 3 << kShift, colour, -1, cv::LINE_AA, kShift);
    }
}

}  // namespace

std::vector<uint8_t> draw_matches(std::span<const uint8_t> a, std::span<const uint8_t> b,
                                  const LocalExtraction& wanted, uint32_t size,
                                  const ImageLimits& limits,
                                  const std::function<void()>& image_read) {
    Panel left = make_panel(a, wanted, size, limits);
    image_read();
    Panel right = make_panel(b, wanted, size, limits);
    image_read();
    const int height = std::max(left.shown.rows, right.shown.rows);
    left.top = (height - left.shown.rows) / 2;
    right.left = left.shown.cols + kGap;
    right.top = (height - right.shown.rows) / 2;
    cv::Mat canvas(height, right.left + right.shown.cols, CV_8UC3, cv::Scalar::all(255));
    for (const Panel* panel : {&left, &right})
        panel->shown.copyTo(
            canvas(cv::Rect(panel->left, panel->top, panel->shown.cols, panel->shown.rows)));
    std::vector<MatchedPair> pairs;
    const SetMatch match = match_sets(left.features(), right.features(), nullptr, &pairs);
    draw_outline(canvas, left, right, match);
    draw_lines(canvas, left, right, pairs);
    std::vector<uint8_t> file;
    cv::imencode(".jpg", canvas, file, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality});
    return file;
}

}  // namespace lookalike

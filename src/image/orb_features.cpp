#include "image/orb_features.h"

#include <algorithm>
#include <cmath>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>

namespace lookalike {
namespace {

constexpr int kScales = 8;
constexpr float kScaleFactor = 1.2f;
/// The scale in which the picture has about half its size.
constexpr int kHalfSize = 4;
/// No features closer to the border than this, in pixels of each scale.
constexpr int kEdge = 19;
constexpr int kPatch = 31;
/// How much brighter or darker than its surroundings a corner is.
constexpr int kClearCorner = 20;
constexpr int kFaintCorner = 7;
/// A descriptor compares pixels that lie up to 19 from the point, each smoothed over 3 more.
constexpr int kTile = 48;
constexpr int kTilesAcross = 16;
constexpr size_t kSheetTiles = 256;
constexpr int kOrbBytes = 32;

/// OpenCV's, for one scale: it would shrink the picture anew for each of its calls, and smooth all
/// of it to describe a few points.
cv::Ptr<cv::ORB> detector(uint32_t count, int corner) {
    return cv::ORB::create(static_cast<int>(count), kScaleFactor, 1, kEdge, 0, 2,
                           cv::ORB::HARRIS_SCORE, kPatch, corner);
}

float size_of_scale(int scale) {
    return static_cast<float>(std::pow(static_cast<double>(kScaleFactor), scale));
}

std::vector<cv::Mat> shrink(const cv::Mat& grey) {
    std::vector<cv::Mat> scales{grey};
    for (int i = 1; i < kScales; ++i) {
        const float part = 1.0f / size_of_scale(i);
        const cv::Size size(cvRound(static_cast<float>(grey.cols) * part),
                            cvRound(static_cast<float>(grey.rows) * part));
        cv::Mat smaller;
        cv::resize(scales.back(), smaller, size, 0, 0, cv::INTER_LINEAR_EXACT);
        scales.push_back(smaller);
    }
    return scales;
}

/// Each scale gets as many as its side is long.
std::vector<uint32_t> share_out(uint32_t count) {
    const float ratio = 1 / kScaleFactor;
    float wanted = static_cast<float>(count) * (1 - ratio) /
                   (1 - static_cast<float>(std::pow(static_cast<double>(ratio), kScales)));
    std::vector<uint32_t> shares;
    uint32_t sum = 0;
    for (int i = 0; i + 1 < kScales; ++i, wanted *= ratio) {
        shares.push_back(static_cast<uint32_t>(cvRound(wanted)));
        sum += shares.back();
    }
    shares.push_back(count > sum ? count - sum : 0);
    return shares;
}

/// Clear corners count, or faint ones, too, where a look at the picture at half its size finds few.
int least_contrast(const std::vector<cv::Mat>& scales, uint32_t count) {
    std::vector<cv::KeyPoint> corners;
    cv::FAST(scales[kHalfSize], corners, kClearCorner);
    return corners.size() >= count / 4 ? kClearCorner : kFaintCorner;
}

/// The `kTile` x `kTile` pixels around `middle`, in a mirror where they lie outside of the picture.
void copy_tile(const cv::Mat& from, cv::Point middle, cv::Mat to) {
    const cv::Rect around(middle.x - kTile / 2, middle.y - kTile / 2, kTile, kTile);
    const cv::Rect inside = around & cv::Rect(0, 0, from.cols, from.rows);
    const int left = inside.x - around.x, top = inside.y - around.y;
    cv::copyMakeBorder(from(inside), to, top, kTile - top - inside.height, left,
                       kTile - left - inside.width, cv::BORDER_REFLECT_101 | cv::BORDER_ISOLATED);
}

/// What surrounds the points is put onto a sheet of tiles, so that nothing else is smoothed.
cv::Mat describe_sheet(const OrbPoints& found, std::span<const uint32_t> chosen) {
    const int count = static_cast<int>(chosen.size());
    const int down = (count + kTilesAcross - 1) / kTilesAcross;
    cv::Mat sheet(down * kTile, kTilesAcross * kTile, CV_8U, cv::Scalar(0));
    std::vector<cv::KeyPoint> points;
    for (int i = 0; i < count; ++i) {
        cv::KeyPoint point = found.points[chosen[i]];
        const float size = size_of_scale(point.octave);
        const cv::Point corner(i % kTilesAcross * kTile, i / kTilesAcross * kTile);
        copy_tile(found.scales[point.octave],
                  {cvRound(point.pt.x / size), cvRound(point.pt.y / size)},
                  sheet(cv::Rect(corner, cv::Size(kTile, kTile))));
        point.pt = corner + cv::Point(kTile / 2, kTile / 2);
        point.octave = 0;
        points.push_back(point);
    }
    cv::Mat descriptors;
    detector(static_cast<uint32_t>(count), kClearCorner)->compute(sheet, points, descriptors);
    return descriptors;
}

}  // namespace

OrbPoints find_orb_points(const cv::Mat& grey, uint32_t count) {
    if (std::min(grey.cols, grey.rows) <= 2 * kEdge) return {};
    OrbPoints found{.scales = shrink(grey), .points = {}};
    const int corner = least_contrast(found.scales, count);
    const std::vector<uint32_t> shares = share_out(count);
    std::vector<cv::KeyPoint> points;
    for (int i = 0; i < kScales; ++i) {
        const cv::Mat& scale = found.scales[i];
        if (shares[i] == 0 || std::min(scale.cols, scale.rows) <= 2 * kEdge) continue;
        detector(shares[i], corner)->detect(scale, points);
        const float size = size_of_scale(i);
        for (cv::KeyPoint& point : points) {
            point.octave = i;
            point.size *= size;
            point.pt *= size;
        }
        found.points.insert(found.points.end(), points.begin(), points.end());
    }
    return found;
}

cv::Mat describe_orb_points(const OrbPoints& found, std::span<const uint32_t> chosen) {
    cv::Mat descriptors(static_cast<int>(chosen.size()), kOrbBytes, CV_8U);
    for (size_t from = 0; from < chosen.size(); from += kSheetTiles) {
        const size_t count = std::min<size_t>(kSheetTiles, chosen.size() - from);
        const cv::Range rows(static_cast<int>(from), static_cast<int>(from + count));
        describe_sheet(found, chosen.subspan(from, count)).copyTo(descriptors.rowRange(rows));
    }
    return descriptors;
}

}  // namespace lookalike

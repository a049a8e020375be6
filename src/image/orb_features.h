// ORB features of a grey picture: corners at eight scales, and their descriptors.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

/// Corners are found in `scales`, each 1.2 times smaller than the one before. Places are those of
/// the picture; `octave` of a point is its scale.
struct OrbPoints {
    std::vector<cv::Mat> scales;
    std::vector<cv::KeyPoint> points;
};

/// About `count` of the strongest corners; none in a picture that is all border.
OrbPoints find_orb_points(const cv::Mat& grey, uint32_t count);

/// A row of 32 bytes for each of the `chosen` points, in their order.
cv::Mat describe_orb_points(const OrbPoints& found, std::span<const uint32_t> chosen);

}  // namespace lookalike

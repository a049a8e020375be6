// The `color` extractor: which colours there are, and roughly where.
#pragma once

#include <opencv2/core.hpp>
#include <span>

namespace lookalike {

constexpr uint32_t kColorDims = 240;

/// Writes a vector of length 1 whose L2 distances are Hellinger distances of colour histograms.
/// REQUIRES: `image` is BGR, 8 bits; `out` has kColorDims elements.
void extract_color(const cv::Mat& image, std::span<float> out);

}  // namespace lookalike

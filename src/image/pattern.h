// The `pattern` extractor: texture and shape, whatever the colours.
#pragma once

#include <opencv2/core.hpp>
#include <span>

namespace lookalike {

constexpr uint32_t kPatternDims = 274;

/// Writes a vector of length at most 1.
/// REQUIRES: `image` is BGR, 8 bits, at least 16 pixels a side; `out` has kPatternDims elements.
void extract_pattern(const cv::Mat& image, std::span<float> out);

}  // namespace lookalike

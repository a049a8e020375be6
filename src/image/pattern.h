// The `pattern` extractor: texture and shape, whatever the colours.
#pragma once

#include <opencv2/core.hpp>
#include <span>

namespace lookalike {

constexpr uint32_t kPatternDims = 319;

/// Writes a vector whose length is kPatternLength: beside a `color` vector of length 1 it then
/// weighs as much as it should, because patterns differ less than colours do. Shorter for pictures
/// without any edge.
/// REQUIRES: `image` is BGR, 8 bits, at least 16 pixels a side; `out` has kPatternDims elements.
void extract_pattern(const cv::Mat& image, std::span<float> out);

constexpr float kPatternLength = 1.8f;

}  // namespace lookalike

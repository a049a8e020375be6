// What the extractors, and baselines in plain OpenCV, make of pictures: "baseline-hsv",
// "baseline-hog", and every name that image_features() takes.
#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "quality/tasks.h"

namespace lookalike {

/// MobileNetV2 as ONNX, which is "net:mobilenet@1" from then on.
void load_mobilenet(const std::filesystem::path& path);

/// A row of floats for each picture; bits are 0 and 1.
cv::Mat extract_all(const std::vector<Picture>& pictures, const std::string& extractor);

/// Of each row of `a` from each row of `b`.
cv::Mat squared_distances(const cv::Mat& a, const cv::Mat& b);

}  // namespace lookalike

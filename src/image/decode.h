// From a file's bytes to upright pixels.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "image/header.h"
#include "image/image.h"

namespace lookalike {

/// Decodes the (first) image: upright, 8 bits a channel, BGR, or BGRA where the file has an alpha
/// channel. A JPEG is decoded at a half, a quarter or an eighth of its size as long as
/// `wanted_pixels` remain; other formats come in full. Throws ImageError.
cv::Mat decode_image(std::span<const uint8_t> image, const ImageLimits& limits,
                     uint64_t wanted_pixels);

/// The same, and BGR in any case: over white where there is an alpha channel.
cv::Mat decode_opaque_image(std::span<const uint8_t> image, const ImageLimits& limits,
                            uint64_t wanted_pixels);

/// The same in grey, which takes less time of a JPEG.
cv::Mat decode_grey_image(std::span<const uint8_t> image, const ImageLimits& limits,
                          uint64_t wanted_pixels);

/// BGR from BGRA over white; BGR passes unchanged.
cv::Mat composed_on_white(const cv::Mat& image);

/// `image` brought to width x height, by averaging where that means fewer pixels.
cv::Mat resized(const cv::Mat& image, int width, int height);

/// The first frame of an animated WebP as a file of its own. Throws BytesEnd.
std::vector<uint8_t> first_webp_frame(std::span<const uint8_t> image);

}  // namespace lookalike

// HEIC and AVIF pictures to pixels.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "image/bytes.h"

namespace lookalike {

/// The primary picture, cropped but not turned: BGRA where the file has an alpha channel, else BGR.
/// Throws BytesEnd when it is damaged, also when it takes pictures of more than `max_pixels` to
/// decode; ImageError, std::bad_alloc.
cv::Mat decode_heif(const Bytes& file, uint64_t max_pixels);

}  // namespace lookalike

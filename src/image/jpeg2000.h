// JPEG 2000 pictures to pixels.
#pragma once

#include <opencv2/core.hpp>

#include "image/bytes.h"

namespace lookalike {

/// BGRA where the file says that it has an alpha channel, else BGR. Throws BytesEnd when it is
/// damaged, std::bad_alloc. REQUIRES: its header has been read.
cv::Mat decode_jpeg2000(const Bytes& file);

}  // namespace lookalike

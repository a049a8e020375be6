// Samples as video decoders give them, to 8-bit pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>

#include "image/heif_file.h"

namespace lookalike {

/// A decoded picture. Planes are luma and two of chroma, or luma alone (`is_grey`). Does not own.
struct YuvPicture {
    const uint8_t* planes[3];
    ptrdiff_t row_bytes[3];
    int width;  ///< of luma
    int height;
    int chroma_shift_x;  ///< 1 when chroma has half of the columns
    int chroma_shift_y;
    int bits;  ///< of a sample, 8 to 16; above 8 a sample has two bytes
    bool is_grey;
    YuvColour colour;
};

/// Writes as many pixels as `out` (8-bit BGR) has. REQUIRES: `picture` has as many.
void write_bgr(const YuvPicture& picture, cv::Mat out);

/// Luma alone, as `out` (8-bit, one channel) takes it.
void write_grey(const YuvPicture& picture, cv::Mat out);

}  // namespace lookalike

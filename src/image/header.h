// What an image file says about itself before any pixel is decoded. Written for hostile bytes: no
// read leaves the span, and where a file states its size more than once the largest counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/no_postgres.h"

namespace lookalike {

enum class ImageFormat { kJpeg, kPng, kWebp, kBmp, kTiff, kPnm, kJpeg2000, kGif, kHeic, kAvif };

const char* format_name(ImageFormat format);

struct ImageHeader {
    ImageFormat format = {};
    uint32_t width = 0;  ///< as stored, before the orientation; never 0 in a header returned
    uint32_t height = 0;
    uint64_t max_pixels = 0;  ///< of all the sizes in the file that make a decoder take memory
    uint32_t channels = 0;    ///< 1 to 4
    int orientation = 1;      ///< by EXIF's numbers, 1 to 8
    bool has_alpha = false;
    bool is_animated = false;  ///< WebP: frames instead of one image
    std::string rare_kind;     ///< for which decoders refuse intact files: "lossless JPEG"
};

/// Throws ImageError: kUnsupportedFormat, or kUnreadable when the header is damaged or cut off.
ImageHeader read_header(std::span<const uint8_t> image);

}  // namespace lookalike

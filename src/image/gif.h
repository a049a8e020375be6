// The first picture of a GIF file: where it lies on the canvas, and its pixels.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <optional>

#include "image/bytes.h"

namespace lookalike {

struct GifImage {
    uint32_t canvas_width = 0;
    uint32_t canvas_height = 0;
    cv::Rect place;  ///< of the picture; may reach beyond the canvas
    bool is_interlaced = false;
    std::optional<uint8_t> transparent;  ///< this colour of the palette is not drawn
    Bytes palette{{}};                   ///< red, green, blue of each colour
    uint64_t pixels_offset = 0;          ///< in the file, where the compressed pixels begin

    /// Whether something of the canvas stays transparent, as far as the header tells.
    bool has_alpha() const;
};

/// Throws BytesEnd when the file is damaged, ends before its first picture, or has no palette.
GifImage read_gif_image(const Bytes& file);

/// The canvas with that picture on it: BGRA where has_alpha(), else BGR. Throws BytesEnd when
/// pixels are missing.
cv::Mat decode_gif(const Bytes& file);

}  // namespace lookalike

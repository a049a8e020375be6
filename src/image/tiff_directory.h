// The first directory of a TIFF file. EXIF blocks are TIFF files too.
#pragma once

#include <cstdint>

#include "image/bytes.h"

namespace lookalike {

/// Tags that are absent have the value that the standard gives them, or 0. Where a tag is there
/// twice, sizes have the larger value.
struct TiffDirectory {
    uint64_t width = 0;
    uint64_t height = 0;
    uint64_t tile_width = 0;
    uint64_t tile_height = 0;
    uint64_t samples_per_pixel = 1;
    uint64_t photometric = 0;
    uint64_t compression = 1;
    uint64_t bits_per_sample = 1;  ///< of the first channel
    uint64_t sample_format = 1;    ///< of the first channel: 1 unsigned, 2 signed, 3 floating point
    bool has_extra_samples = false;  ///< samples beyond the colours: alpha
    int orientation = 1;
};

/// Reads classic and big TIFF of either byte order. Throws BytesEnd, also for bad magic.
TiffDirectory read_tiff_directory(const Bytes& tiff);

/// The orientation in an EXIF block (without "Exif\0\0"); 1 when it has none or is damaged.
int exif_orientation(const Bytes& exif);

}  // namespace lookalike

// AV1 pictures: what an AVIF file holds.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "image/bytes.h"
#include "image/yuv.h"

namespace lookalike {

/// Calls `use` with the first picture. `data` are pieces that follow each other; the operating
/// point chooses among the layers that they may have. Throws BytesEnd for damaged data and for
/// pictures of more than `max_pixels`, std::bad_alloc.
void decode_av1(const std::vector<Bytes>& data, int operating_point, uint64_t max_pixels,
                const std::function<void(const YuvPicture&)>& use);

}  // namespace lookalike

// HEVC pictures: what a HEIC file holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "image/bytes.h"
#include "image/yuv.h"

namespace lookalike {

struct CodedSize {
    uint64_t width, height;
};

/// The sizes that a box hvcC announces to a decoder. Throws BytesEnd.
std::vector<CodedSize> hevc_sizes(const Bytes& config);

/// Calls `use` with the first picture. `data` are pieces that follow each other. Throws BytesEnd
/// for damaged data and for pictures of more than `max_pixels`, ImageError, std::bad_alloc.
void decode_hevc(const Bytes& config, const std::vector<Bytes>& data, uint64_t max_pixels,
                 const std::function<void(const YuvPicture&)>& use);

}  // namespace lookalike

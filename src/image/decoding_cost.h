// What a file's header tells of the memory and time that its decoder will take: more than that may
// be found out only by trying.
#pragma once

#include <cstdint>
#include <span>

#include "image/header.h"
#include "image/image.h"

namespace lookalike {

/// Encoders write up to about 15; more only cost time, at every one of them all pixels.
constexpr uint32_t kMaxJpegScans = 100;

/// How often a JPEG file goes through its pixels.
uint32_t count_jpeg_scans(std::span<const uint8_t> jpeg);

/// Bytes that decoding takes at least. `reduction` is what a JPEG's sides are divided by.
uint64_t least_decoding_bytes(std::span<const uint8_t> image, const ImageHeader& header,
                              uint32_t reduction);

/// Throws ImageError with kNeedsMemory or kTooSlow.
void check_decoding_cost(std::span<const uint8_t> image, const ImageHeader& header,
                         uint32_t reduction, const ImageLimits& limits);

/// Throws ImageError with `fault`, kOutOfMemory or kNeedsMemory.
[[noreturn]] void fail_for_memory(ImageFault fault, const ImageHeader& header);

}  // namespace lookalike

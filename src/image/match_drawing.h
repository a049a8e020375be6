// Two pictures side by side, with lines between the spots that they share.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "image/local_extract.h"

#include "core/no_postgres.h"

namespace lookalike {

/// A JPEG. Each picture is at most `size` pixels wide and high; where b lies in a is outlined, if
/// the two show the same thing. `image_read` is called when one has been decoded. Throws
/// ImageError. REQUIRES: size > 0.
std::vector<uint8_t> draw_matches(std::span<const uint8_t> a, std::span<const uint8_t> b,
                                  const LocalExtraction& wanted, uint32_t size,
                                  const ImageLimits& limits,
                                  const std::function<void()>& image_read);

}  // namespace lookalike

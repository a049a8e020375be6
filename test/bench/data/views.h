// Many SIFT descriptors from few photographs: each is seen again and again through a square window
// that is turned, scaled, mirrored and put elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "byte_row_file.h"

namespace lookalike {

/// Adds what windows of `photos` hold until `rows` has `wanted` rows or `stop_requested` says so.
/// Photographs take turns; one that gives little (a sky) has fewer of them. The same photographs
/// give the same rows in the same order. Throws std::runtime_error when none can be read.
void add_views(const std::vector<std::filesystem::path>& photos, uint32_t wanted,
               bool (*stop_requested)(), ByteRowFile& rows);

}  // namespace lookalike

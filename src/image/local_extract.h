// Finds the local features of a picture.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/local/local_features.h"
#include "image/image.h"

#include "core/no_postgres.h"

namespace lookalike {

struct LocalExtraction {
    LocalKind kind;
    uint32_t max_features;  ///< at most kMaxLocalFeatures
    bool mirrored;          ///< looks at the picture in a mirror
};

/// A value as core/local/local_features.h describes it. A picture without features gives an empty
/// one. Throws ImageError.
std::vector<uint8_t> extract_local_features(std::span<const uint8_t> image,
                                            const LocalExtraction& wanted,
                                            const ImageLimits& limits);

}  // namespace lookalike

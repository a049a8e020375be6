// How far a search by votes looks.
#pragma once

#include <cstdint>

namespace lookalike {

/// Of so many of the nearest words the lists are read, for each feature that is asked for.
constexpr uint32_t lists_per_feature(double recall) {
    if (recall <= 0.9) return 1;
    if (recall <= 0.95) return 2;
    return recall <= 0.98 ? 4 : 8;
}

}  // namespace lookalike

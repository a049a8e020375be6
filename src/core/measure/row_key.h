// By which rows are sorted while an index measures itself: cheaper than the distance, and rising
// with it.
#pragma once

#include <cstdint>

#include "core/vector/metric.h"

namespace lookalike {

/// The floats of a row, a query or a centroid in index space; of a binary metric its bits instead,
/// as a descriptor has them.
struct Elements {
    const float* floats;
    const uint8_t* bits;
};

/// The squared distance, the negative inner product, or the distance of bits.
float row_key(Metric metric, const Elements& a, const Elements& b, uint32_t row_floats);

}  // namespace lookalike

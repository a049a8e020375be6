// A descriptor of a network, scaled to length 1.
#pragma once

#include <cmath>
#include <span>

#include "core/no_postgres.h"

namespace lookalike {

/// Zeros stay zeros.
inline void scale_to_unit_length(std::span<float> descriptor) {
    double sum = 0;
    for (const float element : descriptor)
        sum += double{element} * element;
    if (sum == 0) return;
    const double scale = 1 / std::sqrt(sum);
    for (float& element : descriptor)
        element = static_cast<float>(element * scale);
}

}  // namespace lookalike

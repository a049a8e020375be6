// Bits as those see them who compute with floats, k-means and the calibration: -1 and 1.
#pragma once

#include <cstring>

#include "core/vector/element.h"

namespace lookalike {

inline void bits_to_signs(const uint8_t* bits, uint32_t dims, float* signs) {
    for (uint32_t i = 0; i < dims; ++i)
        signs[i] = (bits[i / 8] >> (7 - i % 8)) & 1 ? 1.0f : -1.0f;
}

/// A bit is set where the float is above zero.
inline void signs_to_bits(const float* signs, uint32_t dims, uint8_t* bits) {
    std::memset(bits, 0, element_bytes(Kind::kBit, dims));
    for (uint32_t i = 0; i < dims; ++i) {
        if (signs[i] > 0) bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (0x80 >> (i % 8)));
    }
}

}  // namespace lookalike

// Bits as those see them who compute with floats, k-means and the calibration: -1 and 1.
#pragma once

#include <array>
#include <cstring>

#include "core/vector/element.h"

namespace lookalike {

/// The eight signs of each byte.
inline constexpr auto kSignsOfByte = [] {
    std::array<std::array<float, 8>, 256> signs{};
    for (size_t byte = 0; byte < 256; ++byte) {
        for (size_t i = 0; i < 8; ++i)
            signs[byte][i] = (byte >> (7 - i)) & 1 ? 1.0f : -1.0f;
    }
    return signs;
}();

inline bool bit_at(const uint8_t* bits, uint32_t place) {
    return bits[place / 8] >> (7 - place % 8) & 1;
}

inline void bits_to_signs(const uint8_t* bits, uint32_t dims, float* signs) {
    const uint32_t whole = dims / 8;
    for (uint32_t byte = 0; byte < whole; ++byte)
        std::memcpy(signs + size_t{8} * byte, kSignsOfByte[bits[byte]].data(), 8 * sizeof(float));
    if (dims % 8 > 0) {
        std::memcpy(signs + size_t{8} * whole, kSignsOfByte[bits[whole]].data(),
                    dims % 8 * sizeof(float));
    }
}

/// A bit is set where the float is above zero.
inline void signs_to_bits(const float* signs, uint32_t dims, uint8_t* bits) {
    for (uint32_t first = 0; first < dims; first += 8) {
        unsigned byte = 0;
        for (uint32_t i = 0; i < 8; ++i)
            byte = byte << 1 | unsigned{first + i < dims && signs[first + i] > 0};
        bits[first / 8] = static_cast<uint8_t>(byte);
    }
}

}  // namespace lookalike

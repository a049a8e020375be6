// IEEE 754 binary16, stored as its 16 bits.
#pragma once

#include <bit>
#include <cstdint>

namespace lookalike {

constexpr float kHalfMax = 65504.0f;

/// Exact: every half is a float.
constexpr float half_to_float(uint16_t half) {
    const uint32_t sign = uint32_t{half & 0x8000u} << 16;
    const uint32_t exponent = (half >> 10) & 0x1f;
    const uint32_t mantissa = half & 0x3ff;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
}

/// Rounds to nearest, ties to even, in one step from double; too large becomes infinity.
constexpr uint16_t half_from_double(double value) {
    const uint64_t bits = std::bit_cast<uint64_t>(value);
    const uint16_t sign = static_cast<uint16_t>((bits >> 48) & 0x8000);
    const uint64_t magnitude = bits & 0x7fffffffffffffffull;
    const double absolute = std::bit_cast<double>(magnitude);
    if (magnitude > 0x7ff0000000000000ull) return sign | 0x7e00;  // NaN
    if (absolute >= 65520.0) return sign | 0x7c00;
    // Adding 2^52 units of the last place makes the hardware round to that place.
    const double scale = absolute < 0x1p-14
                             ? 0x1p-24
                             : std::bit_cast<double>((magnitude & 0x7ff0000000000000ull)) * 0x1p-10;
    const double units = (absolute / scale + 0x1p52) - 0x1p52;
    if (absolute < 0x1p-14) return sign | static_cast<uint16_t>(units);
    const int exponent = static_cast<int>(magnitude >> 52) - 1023 + 15;
    return sign | static_cast<uint16_t>((exponent << 10) + (static_cast<int>(units) - 1024));
}

}  // namespace lookalike

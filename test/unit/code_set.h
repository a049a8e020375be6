// Codes of local features that tests make, and how far apart they are.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <random>

#include "core/local/local_code.h"

namespace lookalike {

using Code = std::array<uint8_t, kLocalCodeBytes>;

inline Code random_code(std::mt19937& random) {
    Code code;
    for (uint8_t& byte : code)
        byte = static_cast<uint8_t>(random() >> 8);
    return code;
}

/// The same but for so many bits, from bit `first` on and around the end.
inline Code changed_code(Code code, uint32_t bits, uint32_t first = 0) {
    for (uint32_t i = first; i < first + bits; ++i)
        code[i / 8 % kLocalCodeBytes] ^= static_cast<uint8_t>(1u << i % 8);
    return code;
}

inline uint32_t differing_bits(const Code& a, const Code& b) {
    uint32_t count = 0;
    for (size_t i = 0; i < kLocalCodeBytes; ++i)
        count += static_cast<uint32_t>(std::popcount(static_cast<uint8_t>(a[i] ^ b[i])));
    return count;
}

}  // namespace lookalike

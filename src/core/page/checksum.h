// Tells bytes that were written from bytes that were damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lookalike {

/// 64 bits of which the highest are the best. Sums of words can be made in vectors; words that
/// change places go unseen.
inline uint64_t checksum(const void* bytes, size_t length, uint64_t sum = 0) {
    constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
    const auto* from = static_cast<const uint8_t*>(bytes);
    uint64_t word;
    for (; length >= sizeof word; length -= sizeof word, from += sizeof word) {
        std::memcpy(&word, from, sizeof word);
        sum += word;
    }
    word = 0;
    if (length > 0) std::memcpy(&word, from, length);  // nothing may lie nowhere
    return (sum + word) * kSpread;
}

}  // namespace lookalike

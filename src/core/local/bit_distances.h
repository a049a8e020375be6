// One descriptor of 256 bits against many: how many bits differ.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

constexpr size_t kWordsOfBits = 4;

/// Lays the descriptors out as bit_distances() reads them: all first words, all second words, and
/// so on. REQUIRES: room for kWordsOfBits * count words.
void plane_words(const uint8_t* descriptors, uint32_t count, uint64_t* planes);

/// Returns the least distance. REQUIRES: `planes` from plane_words().
uint16_t bit_distances(const uint8_t* descriptor, const uint64_t* planes, uint32_t count,
                       uint16_t* distances);

}  // namespace lookalike

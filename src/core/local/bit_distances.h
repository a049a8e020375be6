// One descriptor of 256 bits against many: how many bits differ.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// Descriptors as bit_distances() reads them: of kFeatures all first words, all second words, and
/// so on. Each word but the first and the last is the parity of itself and those before it.
struct alignas(64) BitBlock {
    static constexpr uint32_t kFeatures = 32;
    static constexpr size_t kWords = 16;
    uint16_t words[kWords][kFeatures];
};
constexpr uint32_t bit_blocks(uint32_t count) {
    return (count + BitBlock::kFeatures - 1) / BitBlock::kFeatures;
}

/// REQUIRES: bit_blocks(count) blocks, all zeros.
void fill_bit_blocks(const uint8_t* descriptors, uint32_t count, BitBlock* blocks);

/// Returns the least distance. REQUIRES: blocks from fill_bit_blocks(), and room for the distances
/// of whole blocks; what comes after the first `count` has no meaning.
uint16_t bit_distances(const uint8_t* descriptor, const BitBlock* blocks, uint32_t count,
                       uint16_t* distances);

}  // namespace lookalike

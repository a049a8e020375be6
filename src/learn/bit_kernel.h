// Compares rows of bits with many centroids at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

constexpr size_t kBitRowsAtOnce = 4;

/// A place in a tile has 16 bits, so that it and a distance make one word.
constexpr size_t kMostTileLists = size_t{1} << 16;

/// Some centroids. They lie in blocks of as many as the kernel has lanes: of each block the first
/// word of all its centroids, then their second.
struct BitTile {
    const uint32_t* words;
    size_t block_count;  ///< of up to kMostTileLists centroids
    size_t words_per_row;
};

struct BitKernel {
    size_t lanes;
    /// For each of kBitRowsAtOnce rows of words_per_row words the nearest centroid of the tile, the
    /// first of those: how many bits differ << 16 | its place.
    /// REQUIRES: an even number of words a row; fewer than 2^16 bits that differ.
    void (*scan)(const BitTile& tile, const uint8_t* const rows[kBitRowsAtOnce],
                 uint32_t nearest[kBitRowsAtOnce]);
};

/// For this machine, or for what hwy::SetSupportedTargetsForTest leaves of it.
BitKernel best_bit_kernel();

}  // namespace lookalike

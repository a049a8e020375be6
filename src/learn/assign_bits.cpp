#include "learn/assign_bits.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace lookalike {
namespace {

// Of centroids: they stay in the first cache while so many rows pass.
constexpr size_t kTileBytes = size_t{32} * 1024;
constexpr size_t kPassingRows = 256;

size_t words_of_row(size_t dims) {
    return bit_row_words(dims) * sizeof(uint64_t) / sizeof(uint32_t);
}

}  // namespace

BitAssigner::BitAssigner(const BitRowsView& centroids)
    : kernel_(best_bit_kernel()), list_count_(centroids.row_count), dims_(centroids.dims) {
    const size_t words = words_of_row(dims_);
    const size_t block_count = (list_count_ + kernel_.lanes - 1) / kernel_.lanes;
    blocks_.resize(block_count * kernel_.lanes * words);
    for (size_t place = 0; place < block_count * kernel_.lanes; ++place) {
        const size_t block = place / kernel_.lanes;
        const size_t lane = place % kernel_.lanes;
        // What fills the last block up repeats its first centroid, which wins as the lower number.
        const size_t list = place < list_count_ ? place : block * kernel_.lanes;
        const auto* from = reinterpret_cast<const uint8_t*>(centroids.row(list));
        for (size_t word = 0; word < words; ++word)
            std::memcpy(&blocks_[(block * words + word) * kernel_.lanes + lane],
                        from + word * sizeof(uint32_t), sizeof(uint32_t));
    }
}

void BitAssigner::assign(const BitRowsView& rows, std::span<uint32_t> list_ids,
                         std::span<float> distances) const {
#pragma omp parallel for schedule(dynamic)
    for (size_t start = 0; start < rows.row_count; start += kPassingRows) {
        const size_t count = std::min(kPassingRows, rows.row_count - start);
        assign_few({rows.row(start), count, dims_}, &list_ids[start], &distances[start]);
    }
}

void BitAssigner::assign_few(const BitRowsView& rows, uint32_t* list_ids, float* distances) const {
    const size_t words = words_of_row(dims_);
    const size_t block_words = words * kernel_.lanes;
    const size_t tile_blocks = std::clamp<size_t>(kTileBytes / (block_words * sizeof(uint32_t)), 1,
                                                  kMostTileLists / kernel_.lanes);
    uint64_t nearest[kPassingRows];  // distance << 32 | list
    std::fill_n(nearest, rows.row_count, std::numeric_limits<uint64_t>::max());
    const size_t block_count = blocks_.size() / block_words;
    for (size_t block = 0; block < block_count; block += tile_blocks) {
        const BitTile tile{.words = &blocks_[block * block_words],
                           .block_count = std::min(tile_blocks, block_count - block),
                           .words_per_row = words};
        for (size_t first = 0; first < rows.row_count; first += kBitRowsAtOnce) {
            const uint8_t* few[kBitRowsAtOnce];
            for (size_t i = 0; i < kBitRowsAtOnce; ++i)  // at the end one of them several times
                few[i] = reinterpret_cast<const uint8_t*>(
                    rows.row(std::min(first + i, rows.row_count - 1)));
            uint32_t found[kBitRowsAtOnce];
            kernel_.scan(tile, few, found);
            for (size_t i = 0; i < kBitRowsAtOnce && first + i < rows.row_count; ++i) {
                const uint64_t list = block * kernel_.lanes + found[i] % kMostTileLists;
                nearest[first + i] =
                    std::min(nearest[first + i], uint64_t{found[i] >> 16} << 32 | list);
            }
        }
    }
    for (size_t i = 0; i < rows.row_count; ++i) {
        list_ids[i] = static_cast<uint32_t>(nearest[i]);
        distances[i] = static_cast<float>(nearest[i] >> 32);
    }
}

}  // namespace lookalike

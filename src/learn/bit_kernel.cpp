#include "learn/bit_kernel.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set. It leaves this one out unless asked:
// AVX-512 as of Ice Lake and Zen 4, the one of x86 that counts the bits of vectors.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "learn/bit_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class Word>
HWY_INLINE Word load_word(const void* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3_DL

// Words are the faster way where vectors cannot count: a block is one centroid.
size_t lane_count() {
    return 1;
}

HWY_INLINE uint32_t count_different(const uint8_t* row, const uint8_t* centroid, size_t bytes) {
    uint32_t count = 0;
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        count += static_cast<uint32_t>(
            std::popcount(load_word<uint64_t>(row + i) ^ load_word<uint64_t>(centroid + i)));
    }
    return count;
}

void scan(const BitTile& tile, const uint8_t* const rows[kBitRowsAtOnce],
          uint32_t nearest[kBitRowsAtOnce]) {
    const size_t bytes = tile.words_per_row * sizeof(uint32_t);
    std::fill_n(nearest, kBitRowsAtOnce, std::numeric_limits<uint32_t>::max());
    for (uint32_t place = 0; place < tile.block_count; ++place) {
        const auto* centroid = reinterpret_cast<const uint8_t*>(tile.words) + place * bytes;
        for (size_t row = 0; row < kBitRowsAtOnce; ++row) {
            const uint32_t count = count_different(rows[row], centroid, bytes);
            nearest[row] = std::min(nearest[row], count << 16 | place);
        }
    }
}

#else

using Words = hn::ScalableTag<uint32_t>;
using Vector = hn::Vec<Words>;

size_t lane_count() {
    return hn::Lanes(Words());
}

HWY_INLINE Vector add_different(Vector count, Vector centroids, const uint8_t* row_word) {
    const Vector row = hn::Set(Words(), load_word<uint32_t>(row_word));
    return hn::Add(count, hn::PopulationCount(hn::Xor(centroids, row)));
}

HWY_INLINE Vector nearer(Vector nearest, Vector count, Vector places) {
    return hn::Min(nearest, hn::Or(hn::ShiftLeft<16>(count), places));
}

HWY_INLINE uint32_t least_lane(Vector words) {
    return hn::GetLane(hn::MinOfLanes(Words(), words));
}

// A lane is a centroid, so nothing is summed over lanes.
void scan(const BitTile& tile, const uint8_t* const rows[kBitRowsAtOnce],
          uint32_t nearest[kBitRowsAtOnce]) {
    static_assert(kBitRowsAtOnce == 4);
    const Words words;
    const size_t lanes = hn::Lanes(words);
    const uint8_t *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
    Vector nearest0 = hn::Set(words, std::numeric_limits<uint32_t>::max());
    Vector nearest1 = nearest0, nearest2 = nearest0, nearest3 = nearest0;
    Vector places = hn::Iota(words, 0);
    const Vector next_places = hn::Set(words, static_cast<uint32_t>(lanes));
    const uint32_t* from = tile.words;
    for (size_t block = 0; block < tile.block_count; ++block) {
        Vector count0 = hn::Zero(words);
        Vector count1 = count0, count2 = count0, count3 = count0;
        for (size_t i = 0; i < tile.words_per_row * sizeof(uint32_t);
             i += sizeof(uint32_t), from += lanes) {
            const Vector centroids = hn::LoadU(words, from);
            count0 = add_different(count0, centroids, row0 + i);
            count1 = add_different(count1, centroids, row1 + i);
            count2 = add_different(count2, centroids, row2 + i);
            count3 = add_different(count3, centroids, row3 + i);
        }
        nearest0 = nearer(nearest0, count0, places);
        nearest1 = nearer(nearest1, count1, places);
        nearest2 = nearer(nearest2, count2, places);
        nearest3 = nearer(nearest3, count3, places);
        places = hn::Add(places, next_places);
    }
    nearest[0] = least_lane(nearest0);
    nearest[1] = least_lane(nearest1);
    nearest[2] = least_lane(nearest2);
    nearest[3] = least_lane(nearest3);
}

#endif

BitKernel target_kernel() {
    return {.lanes = lane_count(), .scan = scan};
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(target_kernel);

}  // namespace

BitKernel best_bit_kernel() {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return HWY_DYNAMIC_DISPATCH(target_kernel)();
}

}  // namespace lookalike
#endif

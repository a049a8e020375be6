#include "core/votes/code_distances.h"

#include <bit>
#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set, here also for the one that counts bits
// of vectors (see distance_kernels.cpp).
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/votes/code_distances.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void distances_to_codes(const uint8_t* HWY_RESTRICT code, const uint8_t* HWY_RESTRICT codes,
                        size_t count, uint8_t* HWY_RESTRICT distances) {
    static_assert(kLocalCodeBytes == 16);
    uint64_t own[2];
    std::memcpy(own, code, sizeof own);
    size_t i = 0;
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3_DL
    const hn::ScalableTag<uint64_t> words;
    const hn::Rebind<uint8_t, decltype(words)> narrow;
    const hn::Repartition<uint8_t, decltype(words)> bytes;
    const size_t lanes = hn::Lanes(words);
    const auto mine = hn::LoadDup128(words, own);
    const auto differing = [&](size_t at) {
        const auto other = hn::BitCast(words, hn::LoadU(bytes, codes + (i + at) * kLocalCodeBytes));
        return hn::PopulationCount(hn::Xor(mine, other));
    };
    // Two vectors hold as many codes as one has lanes: their even words and their odd ones.
    for (; i + lanes <= count; i += lanes) {
        const auto first = differing(0);
        const auto second = differing(lanes / 2);
        const auto sum =
            hn::Add(hn::ConcatEven(words, second, first), hn::ConcatOdd(words, second, first));
        hn::StoreU(hn::TruncateTo(narrow, sum), narrow, distances + i);
    }
#endif
    for (; i < count; ++i) {
        uint64_t other[2];
        std::memcpy(other, codes + i * kLocalCodeBytes, sizeof other);
        distances[i] = static_cast<uint8_t>(std::popcount(own[0] ^ other[0]) +
                                            std::popcount(own[1] ^ other[1]));
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(distances_to_codes);

}  // namespace

void code_distances(const uint8_t* code, const uint8_t* codes, size_t count, uint8_t* distances) {
    HWY_DYNAMIC_DISPATCH(distances_to_codes)(code, codes, count, distances);
}

}  // namespace lookalike
#endif

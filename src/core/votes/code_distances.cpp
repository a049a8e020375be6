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

static_assert(kLocalCodeBytes == 16);

uint8_t distance_of(const uint64_t own[2], const uint8_t* code) {
    uint64_t other[2];
    std::memcpy(other, code, sizeof other);
    return static_cast<uint8_t>(std::popcount(own[0] ^ other[0]) +
                                std::popcount(own[1] ^ other[1]));
}

#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3_DL
constexpr bool kCountsInVectors = true;

// A byte holds their mask.
using Words = hn::CappedTag<uint64_t, 8>;

// Of as many codes as a vector has lanes. Two vectors hold them: their even words and their odd
// ones.
auto distances_of_lanes(hn::Vec<Words> own, const uint8_t* HWY_RESTRICT codes) {
    const Words words;
    const hn::Repartition<uint8_t, Words> bytes;
    const auto differing = [&](const uint8_t* from) {
        return hn::PopulationCount(hn::Xor(own, hn::BitCast(words, hn::LoadU(bytes, from))));
    };
    const auto first = differing(codes);
    const auto second = differing(codes + hn::Lanes(bytes));
    return hn::Add(hn::ConcatEven(words, second, first), hn::ConcatOdd(words, second, first));
}
#else
constexpr bool kCountsInVectors = false;
#endif

void distances_to_codes(const uint8_t* HWY_RESTRICT code, const uint8_t* HWY_RESTRICT codes,
                        size_t count, uint8_t* HWY_RESTRICT distances) {
    uint64_t own[2];
    std::memcpy(own, code, sizeof own);
    size_t i = 0;
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3_DL
    const Words words;
    const hn::Rebind<uint8_t, Words> narrow;
    const size_t lanes = hn::Lanes(words);
    const auto mine = hn::LoadDup128(words, own);
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(hn::TruncateTo(narrow, distances_of_lanes(mine, codes + i * kLocalCodeBytes)),
                   narrow, distances + i);
#endif
    for (; i < count; ++i)
        distances[i] = distance_of(own, codes + i * kLocalCodeBytes);
}

uint32_t block_within(const uint8_t* HWY_RESTRICT code, const uint8_t* HWY_RESTRICT block,
                      uint8_t limit, uint8_t* HWY_RESTRICT distances) {
    uint32_t within = 0;
    uint64_t own[2];
    std::memcpy(own, code, sizeof own);
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3_DL
    const Words words;
    const size_t lanes = hn::Lanes(words);
    const auto mine = hn::LoadDup128(words, own);
    const auto beyond = hn::Set(words, uint64_t{limit} + 1);
    for (size_t i = 0; i < kBlockEntries; i += lanes) {
        const auto are_within =
            hn::Lt(distances_of_lanes(mine, block + i * kLocalCodeBytes), beyond);
        uint8_t bits[8] = {};
        hn::StoreMaskBits(words, are_within, bits);
        within |= uint32_t{bits[0]} << i;
    }
#endif
    if (kCountsInVectors && within == 0) return 0;
    distances_to_codes(code, block, kBlockEntries, distances);
    if (!kCountsInVectors) {
        for (uint32_t i = 0; i < kBlockEntries; ++i)
            within |= uint32_t{distances[i] <= limit} << i;
    }
    return within;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(distances_to_codes);
HWY_EXPORT(block_within);

}  // namespace

void code_distances(const uint8_t* code, const uint8_t* codes, size_t count, uint8_t* distances) {
    HWY_DYNAMIC_DISPATCH(distances_to_codes)(code, codes, count, distances);
}

uint32_t codes_within(const uint8_t* code, const uint8_t* block, uint8_t limit,
                      uint8_t distances[kBlockEntries]) {
    return HWY_DYNAMIC_DISPATCH(block_within)(code, block, limit, distances);
}

}  // namespace lookalike
#endif

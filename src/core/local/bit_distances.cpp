#include "core/local/bit_distances.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set, here also for the one that counts bits
// of vectors (see distance_kernels.cpp).
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/local/bit_distances.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

uint16_t distances_to_planes(const uint8_t* HWY_RESTRICT descriptor,
                             const uint64_t* HWY_RESTRICT planes, size_t count,
                             uint16_t* HWY_RESTRICT distances) {
    uint64_t own[kWordsOfBits];
    std::memcpy(own, descriptor, sizeof(own));
    uint16_t least = UINT16_MAX;
    size_t i = 0;
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3_DL
    const hn::ScalableTag<uint64_t> words;
    const hn::Rebind<uint16_t, decltype(words)> narrow;
    const size_t lanes = hn::Lanes(words);
    const auto own0 = hn::Set(words, own[0]);
    const auto own1 = hn::Set(words, own[1]);
    const auto own2 = hn::Set(words, own[2]);
    const auto own3 = hn::Set(words, own[3]);
    const auto differing = [&](auto word, size_t plane) {
        return hn::PopulationCount(hn::Xor(word, hn::LoadU(words, planes + plane * count + i)));
    };
    auto leasts = hn::Set(words, UINT16_MAX);
    for (; i + lanes <= count; i += lanes) {
        const auto sum = hn::Add(hn::Add(differing(own0, 0), differing(own1, 1)),
                                 hn::Add(differing(own2, 2), differing(own3, 3)));
        hn::StoreU(hn::TruncateTo(narrow, sum), narrow, distances + i);
        leasts = hn::Min(leasts, sum);
    }
    least = static_cast<uint16_t>(hn::GetLane(hn::MinOfLanes(words, leasts)));
#endif
    for (; i < count; ++i) {
        int sum = 0;
        for (size_t plane = 0; plane < kWordsOfBits; ++plane)
            sum += std::popcount(own[plane] ^ planes[plane * count + i]);
        distances[i] = static_cast<uint16_t>(sum);
        least = std::min(least, distances[i]);
    }
    return least;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(distances_to_planes);

}  // namespace

void plane_words(const uint8_t* descriptors, uint32_t count, uint64_t* planes) {
    for (uint32_t i = 0; i < count; ++i) {
        uint64_t words[kWordsOfBits];
        std::memcpy(words, descriptors + i * sizeof(words), sizeof(words));
        for (size_t plane = 0; plane < kWordsOfBits; ++plane)
            planes[plane * count + i] = words[plane];
    }
}

uint16_t bit_distances(const uint8_t* descriptor, const uint64_t* planes, uint32_t count,
                       uint16_t* distances) {
    return HWY_DYNAMIC_DISPATCH(distances_to_planes)(descriptor, planes, count, distances);
}

}  // namespace lookalike
#endif

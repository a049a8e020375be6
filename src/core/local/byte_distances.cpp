#include "core/local/byte_distances.h"

#include <algorithm>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/local/byte_distances.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kBytes = 128;

uint32_t squared_distance(const uint8_t* HWY_RESTRICT a, const uint8_t* HWY_RESTRICT b) {
    const hn::CappedTag<int16_t, 32> shorts;
    const hn::Rebind<uint8_t, decltype(shorts)> octets;
    const hn::Repartition<int32_t, decltype(shorts)> sums;
    auto even = hn::Zero(sums), odd = even;
    for (size_t i = 0; i < kBytes; i += hn::Lanes(shorts)) {
        const auto difference = hn::Sub(hn::PromoteTo(shorts, hn::LoadU(octets, a + i)),
                                        hn::PromoteTo(shorts, hn::LoadU(octets, b + i)));
        even = hn::ReorderWidenMulAccumulate(sums, difference, difference, even, odd);
    }
    return static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(sums, hn::Add(even, odd))));
}

uint16_t distances_to_bytes(const uint8_t* HWY_RESTRICT descriptor,
                            const uint8_t* HWY_RESTRICT descriptors, size_t count,
                            uint16_t* HWY_RESTRICT distances) {
    uint16_t least = UINT16_MAX;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t eighth = squared_distance(descriptor, descriptors + i * kBytes) / 8;
        distances[i] = static_cast<uint16_t>(std::min<uint32_t>(eighth, UINT16_MAX));
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

HWY_EXPORT(distances_to_bytes);

}  // namespace

uint16_t byte_distances(const uint8_t* descriptor, const uint8_t* descriptors, uint32_t count,
                        uint16_t* distances) {
    return HWY_DYNAMIC_DISPATCH(distances_to_bytes)(descriptor, descriptors, count, distances);
}

}  // namespace lookalike
#endif

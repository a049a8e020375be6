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

using Shorts = hn::CappedTag<int16_t, 32>;
using Sums = hn::Repartition<int32_t, Shorts>;

/// A squared distance in as many parts as there are lanes.
HWY_INLINE hn::Vec<Sums> squares(const uint8_t* HWY_RESTRICT a, const uint8_t* HWY_RESTRICT b) {
    const Shorts shorts;
    const hn::Rebind<uint8_t, Shorts> octets;
    auto even = hn::Zero(Sums()), odd = even;
    for (size_t i = 0; i < kBytes; i += hn::Lanes(shorts)) {
        const auto difference = hn::Sub(hn::PromoteTo(shorts, hn::LoadU(octets, a + i)),
                                        hn::PromoteTo(shorts, hn::LoadU(octets, b + i)));
        even = hn::ReorderWidenMulAccumulate(Sums(), difference, difference, even, odd);
    }
    return hn::Add(even, odd);
}

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
template <class Tag>
HWY_INLINE auto sum_of_quarters([[maybe_unused]] Tag tag, hn::Vec<Tag> sums) {
    if constexpr (hn::MaxLanes(Tag()) <= 4) {
        return sums;
    } else {
        const hn::Half<Tag> half;
        return sum_of_quarters(half, hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums)));
    }
}

HWY_INLINE hn::Vec<Sums> sums_of_pairs(hn::Vec<Sums> a, hn::Vec<Sums> b) {
    return hn::Add(hn::InterleaveLower(Sums(), a, b), hn::InterleaveUpper(Sums(), a, b));
}

using Four = hn::Full64<uint16_t>;

/// To add four distances' parts at once takes a third of the steps.
HWY_INLINE hn::Vec<Four> four_distances(const uint8_t* HWY_RESTRICT descriptor,
                                        const uint8_t* HWY_RESTRICT descriptors) {
    const hn::Repartition<int64_t, Sums> wide;
    const auto parts = [&](size_t i) { return squares(descriptor, descriptors + i * kBytes); };
    const auto a = hn::BitCast(wide, sums_of_pairs(parts(0), parts(1)));
    const auto b = hn::BitCast(wide, sums_of_pairs(parts(2), parts(3)));
    const auto all = hn::Add(hn::BitCast(Sums(), hn::InterleaveLower(wide, a, b)),
                             hn::BitCast(Sums(), hn::InterleaveUpper(wide, a, b)));
    return hn::DemoteTo(Four(), hn::ShiftRight<3>(sum_of_quarters(Sums(), all)));
}
#endif

uint16_t distances_to_bytes(const uint8_t* HWY_RESTRICT descriptor,
                            const uint8_t* HWY_RESTRICT descriptors, size_t count,
                            uint16_t* HWY_RESTRICT distances) {
    uint16_t least = UINT16_MAX;
    size_t i = 0;
#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
    auto leasts = hn::Set(Four(), UINT16_MAX);
    for (; i + 4 <= count; i += 4) {
        const auto found = four_distances(descriptor, descriptors + i * kBytes);
        hn::StoreU(found, Four(), distances + i);
        leasts = hn::Min(leasts, found);
    }
    uint16_t four[4];
    hn::StoreU(leasts, Four(), four);
    least = *std::min_element(four, four + 4);
#endif
    for (; i < count; ++i) {
        const auto parts = squares(descriptor, descriptors + i * kBytes);
        const auto square = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(Sums(), parts)));
        distances[i] = static_cast<uint16_t>(std::min<uint32_t>(square / 8, UINT16_MAX));
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

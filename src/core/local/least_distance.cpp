#include "core/local/least_distance.h"

#include <algorithm>
#include <cstdlib>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/local/least_distance.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Shorts = hn::ScalableTag<uint16_t>;
using Vector = hn::Vec<Shorts>;

/// Highway has no least of all lanes of 16 bits on every target.
HWY_INLINE uint16_t least_lane(Vector lanes) {
    uint16_t all[hn::MaxLanes(Shorts())];
    hn::StoreU(lanes, Shorts(), all);
    return *std::min_element(all, all + hn::Lanes(Shorts()));
}

size_t find_distance(const uint16_t* HWY_RESTRICT distances, size_t count, uint16_t wanted) {
    const Shorts shorts;
    const size_t lanes = hn::Lanes(shorts);
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto found = hn::Eq(hn::LoadU(shorts, distances + i), hn::Set(shorts, wanted));
        if (!hn::AllFalse(shorts, found))
            return i + static_cast<size_t>(hn::FindFirstTrue(shorts, found));
    }
    while (distances[i] != wanted)
        ++i;
    return i;
}

uint16_t find_least_elsewhere(const uint16_t* HWY_RESTRICT distances,
                              const uint16_t* HWY_RESTRICT x, const uint16_t* HWY_RESTRICT y,
                              size_t count, size_t index, uint16_t reach) {
    const Shorts shorts;
    const size_t lanes = hn::Lanes(shorts);
    const Vector farthest = hn::Set(shorts, UINT16_MAX);
    const Vector own_x = hn::Set(shorts, x[index]), own_y = hn::Set(shorts, y[index]);
    const Vector near = hn::Set(shorts, reach);
    const auto apart = [&](Vector a, Vector b) { return hn::Sub(hn::Max(a, b), hn::Min(a, b)); };
    Vector leasts = farthest;
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector across = apart(hn::LoadU(shorts, x + i), own_x);
        const Vector down = apart(hn::LoadU(shorts, y + i), own_y);
        const auto is_near = hn::Eq(hn::Max(hn::Max(across, down), near), near);
        leasts =
            hn::Min(leasts, hn::IfThenElse(is_near, farthest, hn::LoadU(shorts, distances + i)));
    }
    uint16_t least = least_lane(leasts);
    for (; i < count; ++i)
        if (std::abs(x[i] - x[index]) > reach || std::abs(y[i] - y[index]) > reach)
            least = std::min(least, distances[i]);
    return least;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(find_distance);
HWY_EXPORT(find_least_elsewhere);

}  // namespace

uint32_t index_of_distance(const uint16_t* distances, uint32_t count, uint16_t wanted) {
    return static_cast<uint32_t>(HWY_DYNAMIC_DISPATCH(find_distance)(distances, count, wanted));
}

uint16_t least_elsewhere(const uint16_t* distances, const PlaceColumns& places, uint32_t count,
                         uint32_t index, uint16_t reach) {
    return HWY_DYNAMIC_DISPATCH(find_least_elsewhere)(distances, places.x, places.y, count, index,
                                                      reach);
}

}  // namespace lookalike
#endif

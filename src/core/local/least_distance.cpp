#include "core/local/least_distance.h"

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

bool find_elsewhere(const uint16_t* HWY_RESTRICT distances, const uint16_t* HWY_RESTRICT x,
                    const uint16_t* HWY_RESTRICT y, size_t count, const Elsewhere& wanted) {
    const Shorts shorts;
    const size_t lanes = hn::Lanes(shorts);
    const uint32_t index = wanted.index;
    const Vector most = hn::Set(shorts, wanted.most), reach = hn::Set(shorts, wanted.reach);
    const Vector own_x = hn::Set(shorts, x[index]), own_y = hn::Set(shorts, y[index]);
    const auto is_at_most = [](Vector a, Vector b) { return hn::Eq(hn::Max(a, b), b); };
    const auto apart = [](Vector a, Vector b) { return hn::Sub(hn::Max(a, b), hn::Min(a, b)); };
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto is_small = is_at_most(hn::LoadU(shorts, distances + i), most);
        if (hn::AllFalse(shorts, is_small)) continue;
        const Vector across = apart(hn::LoadU(shorts, x + i), own_x);
        const Vector down = apart(hn::LoadU(shorts, y + i), own_y);
        const auto is_here = is_at_most(hn::Max(across, down), reach);
        if (!hn::AllFalse(shorts, hn::AndNot(is_here, is_small))) return true;
    }
    for (; i < count; ++i)
        if (distances[i] <= wanted.most &&
            (std::abs(x[i] - x[index]) > wanted.reach || std::abs(y[i] - y[index]) > wanted.reach))
            return true;
    return false;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(find_distance);
HWY_EXPORT(find_elsewhere);

}  // namespace

uint32_t index_of_distance(const uint16_t* distances, uint32_t count, uint16_t wanted) {
    return static_cast<uint32_t>(HWY_DYNAMIC_DISPATCH(find_distance)(distances, count, wanted));
}

bool is_any_elsewhere(const uint16_t* distances, const PlaceColumns& places, uint32_t count,
                      const Elsewhere& wanted) {
    return HWY_DYNAMIC_DISPATCH(find_elsewhere)(distances, places.x, places.y, count, wanted);
}

}  // namespace lookalike
#endif

#include "core/search/entry_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/no_postgres.h"
#include "core/page/list_summary.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/search/entry_filter.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The keys are unaligned.
template <class Lanes, typename Key = hn::TFromD<Lanes>>
HWY_INLINE hn::Vec<Lanes> load_keys(Lanes lanes, const uint8_t* keys) {
#if HWY_TARGET == HWY_SCALAR
    Key key;
    std::memcpy(&key, keys, sizeof key);
    return hn::Set(lanes, key);
#else
    const hn::Repartition<uint8_t, Lanes> bytes;
    return hn::BitCast(lanes, hn::LoadU(bytes, keys));
#endif
}

/// Bit i is set when key i lies from `low` to `low + span`: what is below wraps around.
template <typename Key>
HWY_INLINE uint32_t inside(const uint8_t* HWY_RESTRICT keys, Key low, Key span) {
    const HWY_CAPPED(Key, 16) lanes;
    const auto first = hn::Set(lanes, low);
    const auto length = hn::Set(lanes, span);
    uint32_t outside = 0;
    for (size_t i = 0; i < kBlockEntries; i += hn::Lanes(lanes)) {
        uint8_t bits[8] = {};
        const auto distance = hn::Sub(load_keys(lanes, keys + i * sizeof(Key)), first);
        hn::StoreMaskBits(lanes, hn::Gt(distance, length), bits);
        outside |= (uint32_t{bits[0]} | uint32_t{bits[1]} << 8) << i;
    }
    return ~outside;
}

uint32_t inside_4(const uint8_t* keys, uint32_t low, uint32_t span) {
    return inside(keys, low, span);
}

uint32_t inside_8(const uint8_t* keys, uint64_t low, uint64_t span) {
    return inside(keys, low, span);
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(inside_4);
HWY_EXPORT(inside_8);

// With more ranges than this, each entry looks for its own.
constexpr size_t kMaxRangesToTry = 8;

template <typename Key>
uint32_t inside(const uint8_t* keys, const KeyRange& range) {
    const auto low = static_cast<Key>(range.low);
    const auto span = static_cast<Key>(range.high - range.low);
    if constexpr (sizeof(Key) == sizeof(uint32_t)) {
        return HWY_DYNAMIC_DISPATCH(inside_4)(keys, low, span);
    } else {
        return HWY_DYNAMIC_DISPATCH(inside_8)(keys, low, span);
    }
}

template <typename Key>
uint32_t in_any(const uint8_t* part, const std::vector<KeyRange>& ranges, uint32_t live) {
    uint32_t mask = 0;
    if (ranges.size() <= kMaxRangesToTry) {
        for (const KeyRange& range : ranges)
            mask |= inside<Key>(part, range);
        return mask & live;
    }
    Key keys[kBlockEntries];
    std::memcpy(keys, part, sizeof keys);
    for (uint32_t left = live; left != 0; left &= left - 1) {
        const int i = std::countr_zero(left);
        const auto range = std::lower_bound(
            ranges.begin(), ranges.end(), uint64_t{keys[i]},
            [](const KeyRange& candidate, uint64_t key) { return candidate.high < key; });
        if (range != ranges.end() && range->low <= keys[i]) mask |= uint32_t{1} << i;
    }
    return mask;
}

}  // namespace

std::vector<KeyRange> normalize(std::vector<KeyRange> ranges) {
    std::erase_if(ranges, [](const KeyRange& range) { return range.low > range.high; });
    std::sort(ranges.begin(), ranges.end(),
              [](const KeyRange& a, const KeyRange& b) { return a.low < b.low; });
    std::vector<KeyRange> joined;
    for (const KeyRange& range : ranges) {
        const bool touches =
            !joined.empty() && (joined.back().high == std::numeric_limits<uint64_t>::max() ||
                                range.low <= joined.back().high + 1);
        if (touches) {
            joined.back().high = std::max(joined.back().high, range.high);
        } else {
            joined.push_back(range);
        }
    }
    return joined;
}

std::vector<KeyRange> intersect(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b) {
    std::vector<KeyRange> both;
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const KeyRange common{std::max(a[i].low, b[j].low), std::min(a[i].high, b[j].high)};
        if (common.low <= common.high) both.push_back(common);
        a[i].high < b[j].high ? ++i : ++j;
    }
    return both;
}

bool EntryFilter::may_pass(const uint8_t* summary) const {
    ListSummary list;
    std::memcpy(&list, summary, sizeof list);
    for (const AttributeFilter& filter : filters_) {
        if (filter.takes_null && (list.nulls >> filter.attribute & 1)) continue;
        const AttributeSummary attribute = read_attribute_summary(summary, filter.attribute);
        const auto may = [&](const KeyRange& range) { return may_have_key(attribute, range); };
        if (std::none_of(filter.ranges.begin(), filter.ranges.end(), may)) return false;
    }
    return true;
}

uint32_t EntryFilter::passing(const ListPageView& page, uint32_t block, uint32_t live) const {
    for (const AttributeFilter& filter : filters_) {
        if (live == 0) break;
        const uint8_t width = page.attributes().width[filter.attribute];
        const uint8_t* part = page.attribute_part(filter.attribute, block);
        uint32_t nulls;
        std::memcpy(&nulls, part + size_t{kBlockEntries} * width, sizeof nulls);
        const uint32_t valued = live & ~nulls;
        const uint32_t inside = width == 4 ? in_any<uint32_t>(part, filter.ranges, valued)
                                           : in_any<uint64_t>(part, filter.ranges, valued);
        live = inside | (filter.takes_null ? live & nulls : 0);
    }
    return live;
}

EntryFilter filter_of_version(uint32_t version) {
    return EntryFilter({{.attribute = kBorn, .takes_null = false, .ranges = {{0, version}}},
                        {.attribute = kRetired,
                         .takes_null = false,
                         .ranges = {{uint64_t{version} + 1, kInTree}}}});
}

}  // namespace lookalike
#endif  // HWY_ONCE

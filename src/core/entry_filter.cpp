#include "core/entry_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/list_summary.h"

namespace lookalike {
namespace {

// With more ranges than this, each entry looks for its own.
constexpr size_t kMaxRangesToTry = 8;

// One comparison an entry: keys below `low` wrap around. Compilers turn the loop into vectors.
template <typename Key>
uint32_t inside(const Key* keys, Key low, Key span) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < kBlockEntries; ++i)
        mask |= uint32_t{static_cast<Key>(keys[i] - low) <= span} << i;
    return mask;
}

template <typename Key>
uint32_t in_any(const Key* keys, const std::vector<KeyRange>& ranges, uint32_t live) {
    uint32_t mask = 0;
    if (ranges.size() <= kMaxRangesToTry) {
        for (const KeyRange& range : ranges)
            mask |= inside<Key>(keys, static_cast<Key>(range.low),
                                static_cast<Key>(range.high - range.low));
        return mask & live;
    }
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
    for (const KeyRange& x : a) {
        for (const KeyRange& y : b)
            both.push_back({std::max(x.low, y.low), std::min(x.high, y.high)});
    }
    return normalize(std::move(both));
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
    const uint8_t* columns = page.attributes(block);
    for (const AttributeFilter& filter : filters_) {
        if (live == 0) break;
        const uint8_t width = widths_.width[filter.attribute];
        const uint8_t* column = columns + widths_.offset(filter.attribute);
        uint32_t nulls;
        std::memcpy(&nulls, column + size_t{kBlockEntries} * width, sizeof nulls);
        uint32_t passing = filter.takes_null ? nulls : 0;
        if (width == 4) {
            uint32_t keys[kBlockEntries];
            std::memcpy(keys, column, sizeof keys);
            passing |= in_any(keys, filter.ranges, live & ~nulls);
        } else {
            uint64_t keys[kBlockEntries];
            std::memcpy(keys, column, sizeof keys);
            passing |= in_any(keys, filter.ranges, live & ~nulls);
        }
        live &= passing;
    }
    return live;
}

}  // namespace lookalike

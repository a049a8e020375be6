#include "core/page/list_summary.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/search/entry_filter.h"

namespace lookalike {
namespace {

constexpr uint64_t kGreatest = std::numeric_limits<uint64_t>::max();

// A range of more keys than this is not looked up one by one.
constexpr uint64_t kMostLookedUp = 16;

size_t attribute_offset(uint32_t attribute) {
    return sizeof(ListSummary) + attribute * sizeof(AttributeSummary);
}

// Two of 256 bits, from a multiplication that spreads neighbouring keys.
struct MemberBits {
    explicit MemberBits(uint64_t key) {
        const uint64_t hash = (key ^ key >> 32) * 0x9e3779b97f4a7c15u;
        first = static_cast<uint32_t>(hash >> 56);
        second = static_cast<uint32_t>(hash >> 48 & 0xff);
    }
    uint32_t first;
    uint32_t second;
};

bool has_bit(const AttributeSummary& attribute, uint32_t bit) {
    return attribute.members[bit / 64] >> (bit % 64) & 1;
}

bool has_member(const AttributeSummary& attribute, uint64_t key) {
    const MemberBits bits(key);
    return has_bit(attribute, bits.first) && has_bit(attribute, bits.second);
}

void add_key(AttributeSummary& attribute, uint64_t key) {
    attribute.low = std::max(attribute.low, kGreatest - key);
    attribute.high = std::max(attribute.high, key);
    const MemberBits bits(key);
    attribute.members[bits.first / 64] |= uint64_t{1} << (bits.first % 64);
    attribute.members[bits.second / 64] |= uint64_t{1} << (bits.second % 64);
}

}  // namespace

AttributeSummary read_attribute_summary(const uint8_t* summary, uint32_t attribute) {
    AttributeSummary read;
    std::memcpy(&read, summary + attribute_offset(attribute), sizeof read);
    return read;
}

bool may_have_key(const AttributeSummary& attribute, const KeyRange& range) {
    const uint64_t low = std::max(range.low, kGreatest - attribute.low);
    const uint64_t high = std::min(range.high, attribute.high);
    if (low > high) return false;
    if (high - low >= kMostLookedUp) return true;
    for (uint64_t key = low;; ++key) {
        if (has_member(attribute, key)) return true;
        if (key == high) return false;
    }
}

void widen_summary(uint8_t* summary, const EncodedEntry& entry) {
    ListSummary list;
    std::memcpy(&list, summary, sizeof list);
    list.radius = std::max(list.radius, entry.radius);
    const AttributeKeys* keys = entry.attributes;
    if (keys != nullptr) list.nulls |= keys->nulls;
    std::memcpy(summary, &list, sizeof list);
    for (uint32_t i = 0; keys != nullptr && i < keys->widths.count; ++i) {
        if (keys->nulls >> i & 1) continue;
        AttributeSummary attribute = read_attribute_summary(summary, i);
        add_key(attribute, keys->keys[i]);
        std::memcpy(summary + attribute_offset(i), &attribute, sizeof attribute);
    }
}

bool summary_covers(const uint8_t* summary, const EncodedEntry& entry) {
    ListSummary list;
    std::memcpy(&list, summary, sizeof list);
    // NaN, which nothing covers, is not what an entry has.
    if (!(entry.radius <= list.radius)) return false;
    const AttributeKeys* keys = entry.attributes;
    if (keys == nullptr) return true;
    if ((keys->nulls & ~list.nulls) != 0) return false;
    for (uint32_t i = 0; i < keys->widths.count; ++i) {
        if (keys->nulls >> i & 1) continue;
        const uint64_t key = keys->keys[i];
        if (!may_have_key(read_attribute_summary(summary, i), {key, key})) return false;
    }
    return true;
}

}  // namespace lookalike

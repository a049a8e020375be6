// What the first page of a leaf list knows of all its entries, so that a search can leave the list
// unread: how far they are from the centroid, and which values their filter attributes have.
//
// A summary is a ListSummary, then an AttributeSummary for each filter attribute; unaligned. Zeros
// stand for a list without entries. It is widened before an entry becomes visible and narrowed by a
// rebuild only, so it may promise too much, never too little.
#pragma once

#include <cstdint>

#include "core/page/list_geometry.h"

namespace lookalike {

struct AttributeKeys;
struct EncodedEntry;
struct KeyRange;

struct ListSummary {
    float radius;    ///< no entry is farther from the centroid, in index space; 0 for bits
    uint32_t nulls;  ///< bit i: attribute i of some entry is NULL
};
static_assert(sizeof(ListSummary) == 8);

/// Of the keys that are not NULL.
struct AttributeSummary {
    uint64_t low;         ///< greatest number minus the lowest key, so that zero means none
    uint64_t high;        ///< the highest key
    uint64_t members[4];  ///< a Bloom filter: two bits for each different key
};
static_assert(sizeof(AttributeSummary) == 48);

constexpr uint32_t summary_bytes(uint32_t attribute_count) {
    return static_cast<uint32_t>(sizeof(ListSummary) + attribute_count * sizeof(AttributeSummary));
}

/// Whether an entry changes nothing. `summary` has summary_bytes for the entry's attributes.
bool summary_covers(const uint8_t* summary, const EncodedEntry& entry);

void widen_summary(uint8_t* summary, const EncodedEntry& entry);

/// Whether some entry may have a key in this range.
bool may_have_key(const AttributeSummary& attribute, const KeyRange& range);

AttributeSummary read_attribute_summary(const uint8_t* summary, uint32_t attribute);

}  // namespace lookalike

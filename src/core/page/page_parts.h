// Parts of a page, and what differs in them between two images of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/page/page_format.h"

namespace lookalike {

struct PagePart {
    uint32_t offset;  ///< from the start of the page
    uint32_t length;
};

/// Parts that do not overlap, in any order.
struct PageParts {
    static constexpr uint32_t kMost = 3 + kMaxAttributes;

    uint32_t count = 0;
    PagePart parts[kMost];

    void add(uint32_t offset, uint32_t length) { parts[count++] = {offset, length}; }
    const PagePart* begin() const { return parts; }
    const PagePart* end() const { return parts + count; }
};

/// The most bytes that write_delta() writes: fragments are farther apart than their headers are
/// long.
constexpr size_t kMostDeltaBytes = kPageBytes + 4 * (PageParts::kMost + 1);

/// Writes what is different in these parts of `changed` as Generic WAL does: offset and length, two
/// bytes each, then so many bytes of `changed`; again and again. Returns how many bytes that is.
size_t write_delta(const uint8_t* page, const uint8_t* changed, const PageParts& parts,
                   uint8_t* delta);

}  // namespace lookalike

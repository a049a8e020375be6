// Predicates on filter attributes, evaluated for the 32 entries of a block at once.
#pragma once

#include <cstdint>
#include <vector>

#include "core/page/list_page.h"

namespace lookalike {

/// Keys from `low` to `high`, both included.
struct KeyRange {
    uint64_t low;
    uint64_t high;
};

/// What one attribute must be.
struct AttributeFilter {
    uint32_t attribute;
    bool takes_null;
    std::vector<KeyRange> ranges;  ///< any of them; ascending and disjoint
};

/// Leaves only what is in both, which are as normalize() makes them; so is the result.
std::vector<KeyRange> intersect(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b);

/// Sorts, and joins ranges that overlap or touch.
std::vector<KeyRange> normalize(std::vector<KeyRange> ranges);

/// Every attribute's filter must let an entry through.
class EntryFilter {
  public:
    explicit EntryFilter(std::vector<AttributeFilter> filters) : filters_(std::move(filters)) {}

    const std::vector<AttributeFilter>& filters() const { return filters_; }

    /// The entries of a block that pass, out of those in `live`.
    uint32_t passing(const ListPageView& page, uint32_t block, uint32_t live) const;

    /// Whether an entry of a list with this summary may pass.
    bool may_pass(const uint8_t* summary) const;

  private:
    std::vector<AttributeFilter> filters_;
};

/// Of entries of the root: the lists in the tree at this version.
EntryFilter filter_of_version(uint32_t version);

}  // namespace lookalike

// When a list is split, and into how many: so that an index which grows has about as many lists as
// one that is built on the same rows, whose number of lists is the square root of that of its rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/build/build_plan.h"

namespace lookalike {

/// A list of an index with so many lists may have so many entries. Lists between half of that and
/// all of it have about as many entries as there are lists, hence the number.
inline uint64_t most_entries(uint64_t list_count) {
    if (list_count <= 1) return kRowsOfOneList;
    return std::max<uint64_t>(list_count + list_count / 2, 64);
}

/// A list of an index with so many rows has about so many entries; lists that have become much
/// shorter are joined.
inline uint64_t wanted_entries(uint64_t rows) {
    return static_cast<uint64_t>(std::sqrt(static_cast<double>(rows)));
}

}  // namespace lookalike

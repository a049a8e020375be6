// Where the least of many distances is, and whether one that belongs to another place is small,
// too.
#pragma once

#include <cstdint>

namespace lookalike {

/// The first that is `wanted`. REQUIRES: one of `count` is.
uint32_t index_of_distance(const uint16_t* distances, uint32_t count, uint16_t wanted);

/// Places as columns of x and y.
struct PlaceColumns {
    const uint16_t* x;
    const uint16_t* y;
};

/// What lies farther than `reach` from place `index`, in x or in y, and has a distance of `most` or
/// less.
struct Elsewhere {
    uint32_t index;
    uint16_t reach;
    uint16_t most;
};

/// Stops at the first: most of what is compared has one.
bool is_any_elsewhere(const uint16_t* distances, const PlaceColumns& places, uint32_t count,
                      const Elsewhere& wanted);

}  // namespace lookalike

// Where the least of many distances is, and the least of those that belong to other places.
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

/// The least distance of those whose x or y is farther than `reach` from that of place `index`;
/// UINT16_MAX where there is none.
uint16_t least_elsewhere(const uint16_t* distances, const PlaceColumns& places, uint32_t count,
                         uint32_t index, uint16_t reach);

}  // namespace lookalike

// One descriptor of 128 bytes against many: an eighth of the squared L2 distance.
#pragma once

#include <cstdint>

namespace lookalike {

/// Those beyond 65,535 count as that. Returns the least.
uint16_t byte_distances(const uint8_t* descriptor, const uint8_t* descriptors, uint32_t count,
                        uint16_t* distances);

}  // namespace lookalike

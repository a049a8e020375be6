// Distances between two descriptors.
//
// Real and half may meet in one call; half is widened exactly. Sums run in float SIMD lanes; a sum
// that overflowed, or is so small that lost denormals could matter, is computed again in double, so
// that a result is right to a few units of float precision over the whole range of the elements.
//
// Every function is symmetric to the last bit, for mixed kinds too. The last bits of a result may
// differ between machines (see simd_target_name), never between two calls on one machine.
//
// All functions REQUIRE a.dims == b.dims and finite elements, and data aligned as its element type.
#pragma once

#include "core/vector/element.h"

namespace lookalike {

/// REQUIRES for these: neither is bit. The L2 and L1 distance of a value to itself is exactly 0.
double l2_distance(const DescriptorView& a, const DescriptorView& b);
double l2_squared_distance(const DescriptorView& a, const DescriptorView& b);
double l1_distance(const DescriptorView& a, const DescriptorView& b);
double inner_product(const DescriptorView& a, const DescriptorView& b);

/// 1 - cos(angle), in [0, 2]; 0 for a value and itself; NaN when either has no direction (norm 0).
double cosine_distance(const DescriptorView& a, const DescriptorView& b);

/// Length of the vector. REQUIRES: not bit.
double norm(const DescriptorView& a);

/// Number of bits that differ. REQUIRES: both bit, unused bits of the last byte zero.
double hamming_distance(const DescriptorView& a, const DescriptorView& b);

/// 1 - (bits set in both) / (bits set in either); 1 when no bit is set in both, and so also for two
/// values without any bit set, as in pgvector. REQUIRES: as hamming_distance.
double jaccard_distance(const DescriptorView& a, const DescriptorView& b);

}  // namespace lookalike

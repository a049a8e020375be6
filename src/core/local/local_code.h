// What an index keeps of a local feature: a code of few bits, alike where descriptors are.
#pragma once

#include "core/local/local_features.h"

namespace lookalike {

constexpr uint32_t kLocalCodeBits = 128;
constexpr size_t kLocalCodeBytes = kLocalCodeBits / 8;

/// Writes the codes of all features, one after the other. REQUIRES: room for them.
///   ORB: the first bits, which its pattern has put in the order of what they tell.
///   SIFT: whether a number is above the median of its descriptor.
void local_codes(const LocalFeatures& features, uint8_t* codes);

}  // namespace lookalike

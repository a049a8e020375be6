// One code of a local feature against many: how many bits differ.
#pragma once

#include "core/local/local_code.h"

namespace lookalike {

/// `codes`: `count` codes, one after the other.
void code_distances(const uint8_t* code, const uint8_t* codes, size_t count, uint8_t* distances);

}  // namespace lookalike

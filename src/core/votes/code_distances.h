// One code of a local feature against many: how many bits differ.
#pragma once

#include "core/code/scan_kernel.h"
#include "core/local/local_code.h"

namespace lookalike {

/// `codes`: `count` codes, one after the other.
void code_distances(const uint8_t* code, const uint8_t* codes, size_t count, uint8_t* distances);

/// Those of a block of a list page. Returns a bit for each that is at most `limit`; tells the
/// distances of all if there is one.
uint32_t codes_within(const uint8_t* code, const uint8_t* block, uint8_t limit,
                      uint8_t distances[kBlockEntries]);

}  // namespace lookalike

// A refine slot: whose it is, a checksum, and the refine code.
#pragma once

#include <cstdint>

#include "core/page/list_page.h"

namespace lookalike {

/// Writes slot_bytes of an entry that has a refine code.
void write_slot(uint8_t* slot, const EncodedEntry& entry, uint32_t slot_bytes);

/// Whether a slot is as write_slot() left it: of 65,536 changes one may pass. Damage that passed as
/// a bound would put rows in a wrong order.
bool is_intact(const uint8_t* slot, uint32_t slot_bytes);

/// Copies the elements of a slot whose refine code is kFloat, as those of inner lists are.
void read_slot_floats(const uint8_t* slot, uint32_t dims, float* to);

}  // namespace lookalike

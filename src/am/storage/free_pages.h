// The index's free space map. It grows when the file does, which needs room on the disk anyway, so
// that VACUUM never needs any.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/block.h"
#include "utils/rel.h"
}

namespace lookalike {

/// Makes the map reach as far as the file, and one block farther.
void extend_free_space_map(Relation index);

/// Puts a block into the map. Where that does not reach so far, as it is not replicated, the block
/// waits for the next VACUUM.
void record_free_page(Relation index, BlockNumber block);

}  // namespace lookalike

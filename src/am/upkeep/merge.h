// Lists that have become short are joined to their neighbours, by VACUUM.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// Joins lists until the index has about as many as its rows want. Locks the tree for one change
/// after the other. `list_option`: the number that the index's options ask for, 0: none.
void merge_short_lists(Relation index, uint32 list_option);

}  // namespace lookalike

// Lists that were taken out of the tree are given back when nobody can look at them any more.
#pragma once

#include "am/upkeep/tree_change.h"

extern "C" {
#include "access/genam.h"
}

namespace lookalike {

/// For VACUUM: undoes what changes of the tree have left unfinished, and gives the pages of retired
/// lists to the free space map. REQUIRES: the tree is locked.
void free_retired_lists(Relation index, Relation heap, IndexBulkDeleteResult* result);

/// For who splits a list: gives back a few of them. REQUIRES: the change has begun, nothing more.
void free_some_retired_lists(const TreeChange& change, Relation heap);

}  // namespace lookalike

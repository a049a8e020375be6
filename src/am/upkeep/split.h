// Lists that have grown are split, by the process whose entry made them too long.
#pragma once

#include "am/storage/list_append.h"
#include "am/storage/loaded_index.h"

namespace lookalike {

/// Whether a list that an entry has just come to should be split. `list_option`: the number of
/// lists that the index's options ask for, 0: none.
/// The table is asked for rows where entries do not tell them.
bool is_too_long(Relation index, Relation table, const LoadedIndex& loaded, uint32 list_option,
                 const GrownList& list);

/// Splits a list of about so many entries, unless somebody else changes the tree now or did so
/// already.
void split_list(Relation index, Relation table, BlockNumber list, uint32 list_option,
                uint64 entries);

}  // namespace lookalike

// Lists that take the place of others: of one that has grown too long, or of some that have become
// short. Others read and write the index meanwhile. docs/GROWTH.md tells the steps.
#pragma once

#include "am/storage/loaded_index.h"
#include "am/upkeep/tree_change.h"

namespace lookalike {

struct Replacement {
    const BlockNumber* lists;  ///< that are replaced
    uint32 list_count;
    uint64 entries;       ///< in all of them, about
    bool must_part;       ///< entries of the first list must not stay together
    double least_change;  ///< of the rows of a list: with less, all but the first stay; 0: none
    uint32 part_count;    ///< so many take their place; fewer where rows do not differ
    /// Of the index: for rows that the entries do not tell, and to know which retired lists nobody
    /// reads any more; null: nothing of both.
    Relation table = nullptr;
};

enum class Replaced {
    kDone,
    kNotInTree,  ///< one of them is not in the tree any more: nothing happens
    kNotParted,  ///< nearly all rows of the first are equal: the lists stay as they are
    kNotYet,     ///< rows cannot be read before other transactions have ended: the same
};

/// REQUIRES: the tree is locked.
Replaced replace_lists(Relation index, const Replacement& wanted);

}  // namespace lookalike

// Changes of the tree: lists take the place of others. Its steps, each harmless without the next:
//
//   1. the new lists are written, which nothing leads to
//   2. the root gets their entries, in the tree from the next version on, and marks those of the
//      lists that they replace as in the tree until then
//   3. the meta page counts the version up: one record
//
// What a process that ended between 2 and 3 has left in the root, the next change undoes.
#pragma once

#include "am/storage/loaded_index.h"
#include "am/storage/tree.h"

namespace lookalike {

struct TreeChange {
    Relation index;
    MetaPage meta;     ///< of before
    Tree tree;         ///< the same
    BlockNumber root;  ///< list of the root's entries: a new one if there was none
    uint32 added;      ///< lists
    uint32 removed;
};

/// REQUIRES: the tree is locked, and stays so until the change has ended.
TreeChange begin_tree_change(Relation index);

/// The entry of a list in the tree; null: there is none.
const TreeList* find_list(const TreeChange& change, BlockNumber list);

/// Puts a new list into the root; `entry` is its centroid's, without attributes.
void add_list(TreeChange* change, const ListGeometry& inner, const EncodedEntry& entry);

/// Takes a list out of the tree. `entry`: its centroid's, should the index have had no root.
void remove_list(TreeChange* change, const ListGeometry& inner, const TreeList& list,
                 const EncodedEntry& entry);

/// Makes the change come true: from here on everybody sees it.
void finish_tree_change(TreeChange* change, bool is_split, uint64 microseconds);

/// The entry of a list that nobody reads any more leaves the root.
void take_out_of_root(const TreeChange& change, const TreeList& list);

/// Notes in the root that transactions which run now may look at the lists that were taken out.
void note_retired(TreeChange* change);

}  // namespace lookalike

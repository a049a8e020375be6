// The lists of an index, as its root tells them.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

/// An entry of the root: a list, its place there, and at which versions it is in the tree.
struct TreeList {
    BlockNumber list_id;
    BlockNumber root_page;  ///< kNoBlock: the index has one list, and no root
    uint32 root_index;
    uint32 born;
    uint32 retired;
    uint64 retired_xid;

    bool is_in_tree(uint32 version) const { return born <= version && version < retired; }
};

/// All entries of the root: the lists in the tree, those that were retired and are still read, and
/// those that a split which never ended has left behind. palloc'd.
struct Tree {
    uint32 count;
    TreeList* lists;
};
Tree read_tree(Relation index, const MetaPage& meta);

/// Numbers of lists, ascending. palloc'd.
struct ListNumbers {
    uint32 count;
    BlockNumber* lists;

    bool has(BlockNumber list) const;
};
ListNumbers numbers_of(const Tree& tree);
/// Only those in the tree at this version.
ListNumbers numbers_in_tree(const Tree& tree, uint32 version);

/// The version of the tree now.
uint32 tree_version(Relation index);

/// Who puts an entry into a list keeps it from being split meanwhile; who splits it, at the last
/// step, keeps others from putting entries into it. Temporary indexes need no lock.
void lock_list(Relation index, BlockNumber list, LOCKMODE mode);
void unlock_list(Relation index, BlockNumber list, LOCKMODE mode);

/// One process at a time changes the tree. VACUUM waits for its turn, an insert does not.
bool try_lock_tree(Relation index);
void lock_tree(Relation index);
void unlock_tree(Relation index);

}  // namespace lookalike

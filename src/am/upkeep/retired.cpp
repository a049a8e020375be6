#include "am/upkeep/retired.h"

extern "C" {
#include "access/xlog.h"
#include "storage/indexfsm.h"
#include "utils/snapmgr.h"
}

#include "am/storage/list_append.h"
#include "am/storage/recycle.h"
#include "am/upkeep/named_point.h"

namespace lookalike {
namespace {

bool nobody_reads(const TreeList& list, Relation heap) {
    if (list.retired_xid == 0) return false;
    return GlobalVisCheckRemovableFullXid(heap, FullTransactionIdFromU64(list.retired_xid));
}

// The number may be that of another list by now: then a crash came between giving back the pages
// and taking out the entry.
bool has_other_entry(const Tree& tree, const TreeList& list) {
    for (uint32 i = 0; i < tree.count; ++i) {
        const TreeList& other = tree.lists[i];
        if (other.list_id == list.list_id &&
            (other.root_page != list.root_page || other.root_index != list.root_index))
            return true;
    }
    return false;
}

// Of those that were retired up to this version, `most` at most; returns how many were given back.
uint32 free_lists(const TreeChange& change, Relation heap, uint64 version, uint32 most,
                  IndexBulkDeleteResult* result) {
    const Relation index = change.index;
    uint32 freed = 0;
    for (uint32 i = 0; i < change.tree.count && freed < most; ++i) {
        const TreeList& list = change.tree.lists[i];
        if (list.retired > version || !nobody_reads(list, heap)) continue;
        if (!has_other_entry(change.tree, list)) {
            // Queries of a standby may still read the list.
            if (RelationNeedsWAL(index) && XLogStandbyInfoActive())
                log_horizon(index, heap, list.list_id, FullTransactionIdFromU64(list.retired_xid));
            named_point("horizon_logged");
            free_list(index, list.list_id, list_geometry(change.meta, 0), result);
            named_point("list_given_back");
        }
        take_out_of_root(change, list);
        named_point("taken_out");
        ++freed;
    }
    if (freed > 0) forget_insert_place(index, change.meta.root_list);
    return freed;
}

}  // namespace

void free_retired_lists(Relation index, Relation heap, IndexBulkDeleteResult* result) {
    TreeChange change = begin_tree_change(index);
    if (change.meta.depth == 1) return;
    note_retired(&change);
    change.tree = read_tree(index, change.meta);
    free_lists(change, heap, change.meta.tree_version, change.tree.count, result);
}

void free_some_retired_lists(const TreeChange& change, Relation heap) {
    constexpr uint32 kMost = 8;  // more than a split retires
    // Who measures the index reads the lists that it had, until an eighth of them were split.
    const uint32 recent = change.meta.leaf_count / 8;
    if (change.meta.depth == 1 || change.meta.tree_version < recent) return;
    IndexBulkDeleteResult unused{};
    if (free_lists(change, heap, change.meta.tree_version - recent, kMost, &unused) > 0)
        IndexFreeSpaceMapVacuum(change.index);
}

}  // namespace lookalike

#include "am/upkeep/split.h"

extern "C" {
#include "utils/memutils.h"
}

#include <algorithm>

#include "am/storage/tree.h"
#include "am/upkeep/replace_lists.h"
#include "am/upkeep/row_vectors.h"
#include "am/upkeep/tree_lists.h"
#include "core/split/list_parts.h"
#include "core/split/split_rule.h"

namespace lookalike {
namespace {

constexpr uint32 kNeighbours = 4;
constexpr double kLeastChange = 0.1;
// A split that was cancelled is tried again when the list is longer by this part: a statement
// timeout that is too short for it ends one insert then, and not each.
constexpr uint64 kPartUntilRetry = 8;

// Nobody tries to split the list before it has so many entries.
void leave_until(Relation index, BlockNumber list, uint64 entries) {
    const Buffer buffer = lock_page(index, list, BUFFER_LOCK_EXCLUSIVE);
    check_page(index, buffer, PageKind::kList);
    PageChange change(index);
    set_whole_until(change.add(buffer), static_cast<uint32>(Min(entries, uint64{PG_INT32_MAX})));
    change.finish();
    UnlockReleaseBuffer(buffer);
}

void leave_whole(Relation index, BlockNumber list, uint64 until, const char* reason) {
    leave_until(index, list, until);
    ereport(DEBUG1, (errmsg_internal("index \"%s\": did not split list %u, %s",
                                     RelationGetRelationName(index), list, reason)));
}

// The nearest neighbours of lists[0] come behind it; returns how many. Rows near the border of a
// list that is split are often nearer to a neighbour, and those of the neighbour to a new list.
uint32 add_neighbours(Relation index, const LoadedIndex& loaded, BlockNumber* lists) {
    const uint32 dims = loaded.shape.code_dims;
    const TreeLists tree = read_tree_lists(index, loaded);
    const auto* own = std::find(tree.lists, tree.lists + tree.count, lists[0]);
    if (own == tree.lists + tree.count) return 0;
    struct Near {
        double distance;
        BlockNumber list;
    } nearest[kNeighbours + 1];
    uint32 count = 0;
    for (uint32 i = 0; i < tree.count; ++i) {
        if (tree.lists[i] == lists[0]) continue;
        uint32 at = count;
        const double away = centroid_distance(tree, dims, static_cast<uint32>(own - tree.lists), i);
        for (; at > 0 && away < nearest[at - 1].distance; --at)
            nearest[at] = nearest[at - 1];
        nearest[at] = {away, tree.lists[i]};
        count = Min(count + 1, kNeighbours);
    }
    for (uint32 i = 0; i < count; ++i)
        lists[1 + i] = nearest[i].list;
    return count;
}

// A list and its neighbours become one more.
Replaced part_with_neighbours(Relation index, Relation table, const LoadedIndex& loaded,
                              BlockNumber list, uint64 entries) {
    const uint64 usual_entries = loaded.meta.leaf_count;
    BlockNumber lists[1 + kNeighbours] = {list};
    const uint32 count = 1 + add_neighbours(index, loaded, lists);
    return replace_lists(index, {.lists = lists,
                                 .list_count = count,
                                 .entries = entries + (count - 1) * usual_entries,
                                 .must_part = true,
                                 .least_change = kLeastChange,
                                 .part_count = count + 1,
                                 .table = table});
}

Replaced part_list(Relation index, Relation table, BlockNumber list, uint32 list_option,
                   uint64 entries) {
    const LoadedIndex* loaded = load_index(index);
    Replacement alone{.lists = &list,
                      .list_count = 1,
                      .entries = entries,
                      .must_part = true,
                      .least_change = 0,
                      .part_count = 2,
                      .table = table};
    if (loaded->meta.leaf_count > 1) {
        const Replaced replaced = part_with_neighbours(index, table, *loaded, list, entries);
        if (replaced != Replaced::kNotParted) return replaced;
    } else {
        alone.part_count =
            list_option > 0 ? list_option : static_cast<uint32>(wanted_list_count(entries));
    }
    return replace_lists(index, alone);
}

void tell_context(void* name) {
    errcontext("splitting a list of index \"%s\"", static_cast<const char*>(name));
}

}  // namespace

bool is_too_long(Relation index, Relation table, const LoadedIndex& loaded, uint32 list_option,
                 const GrownList& list) {
    const uint64 lists = loaded.meta.leaf_count;
    if (list_option > 0 && lists >= list_option) return false;
    return list.entries > most_entries(lists) && list.entries >= list.whole_until &&
           (can_part_lists(loaded.shape) || can_fetch_rows(table, index));
}

void split_list(Relation index, Relation table, BlockNumber list, uint32 list_option,
                uint64 entries) {
    if (!try_lock_tree(index)) return;
    ErrorContextCallback told{.previous = error_context_stack,
                              .callback = tell_context,
                              .arg = RelationGetRelationName(index)};
    error_context_stack = &told;
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss split", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    leave_until(index, list, entries + entries / kPartUntilRetry);
    const Replaced replaced = part_list(index, table, list, list_option, entries);
    if (replaced == Replaced::kNotParted)
        leave_whole(index, list, 2 * entries, "whose rows hardly differ");
    if (replaced == Replaced::kNotYet)
        leave_whole(index, list, entries + entries / 16, "whose rows cannot all be fetched yet");
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    unlock_tree(index);
    error_context_stack = told.previous;
}

}  // namespace lookalike

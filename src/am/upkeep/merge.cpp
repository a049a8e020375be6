#include "am/upkeep/merge.h"

extern "C" {
#include "commands/vacuum.h"
#include "common/relpath.h"
#include "utils/memutils.h"
}

#include <sys/statvfs.h>

#include "am/storage/stream.h"
#include "am/storage/tree.h"
#include "am/upkeep/named_point.h"
#include "am/upkeep/replace_lists.h"
#include "am/upkeep/tree_lists.h"
#include "core/split/list_parts.h"
#include "core/split/split_rule.h"

namespace lookalike {
namespace {

// The lists as they were when VACUUM looked at them.
struct Lists {
    TreeLists tree;
    uint32 dims;
    uint64* entries;  // of each; kTaken: joined to others
    bool* is_sparse;  // of each: searches look at many places of rows that have gone
    uint64 wanted;    // entries of a list
};

struct Count {
    uint64 entries;
    uint64 places;  // theirs, and those of rows that have gone
};

constexpr uint64 kTaken = PG_UINT64_MAX;

// On a disk that is nearly full VACUUM ends without an error: what sparse lists become, and its
// WAL, may take as much as the index has twice.
bool has_room(Relation index) {
    const Oid tablespace = index->rd_rel->reltablespace;
    struct statvfs disk;
    const char* path =
        GetDatabasePath(MyDatabaseId, OidIsValid(tablespace) ? tablespace : MyDatabaseTableSpace);
    if (statvfs(path, &disk) != 0) return true;
    const uint64 needed = 2 * uint64{RelationGetNumberOfBlocks(index)} * BLCKSZ;
    return uint64{disk.f_bavail} * disk.f_frsize > needed;
}

// Who splits the list meanwhile may have given its pages back: then it is not in the tree, and is
// not joined, whatever was counted.
Count count_entries(Relation index, BlockNumber list, const ListGeometry& geometry) {
    Count count{};
    BlockNumber block = list;
    for (uint32 length = 0; block != kNoBlock; ++length) {
        vacuum_pause();
        check_chain(index, list, length);
        const Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
        if (!is_still_of_list(index, buffer, list)) {
            UnlockReleaseBuffer(buffer);
            break;
        }
        check_list_page(index, buffer, geometry);
        const uint8_t* page = buffer_bytes(buffer);
        const ListPageView view(geometry, page);
        count.entries += view.live_count();
        count.places += view.entry_places();
        block = page_trailer(page)->next;
        UnlockReleaseBuffer(buffer);
    }
    return count;
}

// More than half as many places again as a list takes that is written anew: whole blocks.
bool is_sparse(const Count& count) {
    return 2 * count.places > 3 * (count.entries + kBlockEntries - 1);
}

bool is_short(const Lists& lists, uint32 list) {
    return lists.entries[list] != kTaken && 2 * lists.entries[list] < lists.wanted;
}

// The nearest of the lists that are short; tree.count: there is none.
uint32 nearest_short(const Lists& lists, uint32 list) {
    uint32 nearest = lists.tree.count;
    double least = 0;
    for (uint32 other = 0; other < lists.tree.count; ++other) {
        if (other == list || !is_short(lists, other)) continue;
        const double between = centroid_distance(lists.tree, lists.dims, list, other);
        if (nearest != lists.tree.count && !(between < least)) continue;
        nearest = other;
        least = between;
    }
    return nearest;
}

// Joins a list and its nearest short ones until they have as many entries as are wanted. A sparse
// one is written anew, be it alone.
void join(Relation index, Lists* lists, uint32 list) {
    constexpr uint32 kMostJoined = 64;
    BlockNumber joined[kMostJoined];
    uint32 count = 0;
    uint64 entries = 0;
    uint32 next = list;
    while (next != lists->tree.count && count < kMostJoined &&
           (count == 0 || entries + lists->entries[next] <= lists->wanted)) {
        joined[count++] = lists->tree.lists[next];
        entries += lists->entries[next];
        lists->entries[next] = kTaken;
        next = nearest_short(*lists, list);
    }
    if (count < 2 && (!lists->is_sparse[list] || entries == 0)) return;
    lock_tree(index);
    replace_lists(index, {.lists = joined,
                          .list_count = count,
                          .entries = entries,
                          .must_part = false,
                          .least_change = 0,
                          .part_count = 1});
    unlock_tree(index);
    named_point("merged");
}

void merge_in_context(Relation index) {
    // VACUUM's snapshot keeps nothing in the root: a split takes out what it has given back.
    lock_tree(index);
    const LoadedIndex& loaded = *load_index(index);
    const ListGeometry geometry = loaded.shape.levels[0];
    Lists lists{.tree = read_tree_lists(index, loaded),
                .dims = loaded.shape.code_dims,
                .entries = nullptr,
                .is_sparse = nullptr,
                .wanted = 0};
    unlock_tree(index);
    lists.entries = static_cast<uint64*>(palloc(sizeof(uint64) * lists.tree.count));
    lists.is_sparse = static_cast<bool*>(palloc(sizeof(bool) * lists.tree.count));
    const bool may_write_sparse = has_room(index);
    uint64 sum = 0;
    for (uint32 i = 0; i < lists.tree.count; ++i) {
        const Count count = count_entries(index, lists.tree.lists[i], geometry);
        lists.entries[i] = count.entries;
        lists.is_sparse[i] = may_write_sparse && is_sparse(count);
        sum += count.entries;
    }
    lists.wanted = Max(wanted_entries(sum), uint64{1});  // without rows one list is enough
    named_point("merge_counted");
    for (uint32 i = 0; i < lists.tree.count; ++i) {
        vacuum_pause();
        if (lists.entries[i] == kTaken) continue;
        if (lists.is_sparse[i] || 4 * lists.entries[i] < lists.wanted) join(index, &lists, i);
    }
}

}  // namespace

void merge_short_lists(Relation index, uint32 list_option) {
    const LoadedIndex* loaded = load_index(index);
    if (loaded->meta.depth == 1 || list_option > 0 || !can_part_lists(loaded->shape)) return;
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss merge", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    merge_in_context(index);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
}

}  // namespace lookalike

// VACUUM: takes entries of dead rows out of their places, which then serve new rows.
//
// An entry never moves while its list lives, so pages are visited in the order of the file. Pages
// that became empty are recycled afterwards.
#include "am/access_method.h"

extern "C" {
#include "commands/vacuum.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
}

#include "am/options.h"
#include "am/storage/free_pages.h"
#include "am/storage/list_append.h"
#include "am/storage/pages.h"
#include "am/storage/recycle.h"
#include "am/storage/tree.h"
#include "am/upkeep/merge.h"
#include "am/upkeep/remeasure.h"
#include "am/upkeep/retired.h"
#include "am/upkeep/tree_change.h"
#include "core/code/index_space.h"

namespace lookalike {
namespace {

struct Sweep {
    Relation index;
    IndexBulkDeleteCallback callback;
    void* callback_state;
    MetaPage meta;
    ListGeometry leaf;
    ListGeometry inner;
    ListGeometry plain;
    ListNumbers known_lists;  // of the root, retired ones too
    ListNumbers tree_lists;   // those in the tree
    IndexBulkDeleteResult* result;
    List* emptied_lists;  // leaf lists with an empty page behind the first
};

// A row of a retired list has another entry, which counts. Returns whether entries were removed.
bool sweep_entries(Sweep* sweep, Buffer buffer, const ListGeometry& geometry, bool counts) {
    PageChange change(sweep->index);
    uint8_t* page = change.add(buffer);
    const ListPageView view(geometry, page);
    bool changed = false;
    for (uint32 i = 0; i < view.entry_places(); ++i) {
        if (!view.is_live(i)) continue;
        const EntryPointer pointer = view.pointer(i);
        ItemPointerData row;
        ItemPointerSet(&row, pointer.block(), pointer.offset);
        if (sweep->callback(&row, sweep->callback_state)) {
            clear_entry(geometry, page, i);
            changed = true;
            sweep->result->tuples_removed += counts;
        } else {
            sweep->result->num_index_tuples += counts;
        }
    }
    if (changed) {
        change.finish();
    } else {
        change.abort();
    }
    return changed;
}

const ListGeometry& owner_geometry(Sweep* sweep, BlockNumber owner) {
    const Buffer buffer = lock_page(sweep->index, owner, BUFFER_LOCK_SHARE);
    const uint8_t* page = buffer_bytes(buffer);
    const bool is_inner = page_fault(page, PageKind::kList) == nullptr && list_level(page) > 0;
    UnlockReleaseBuffer(buffer);
    return is_inner ? sweep->inner : sweep->leaf;
}

void sweep_page(Sweep* sweep, BlockNumber block) {
    const Buffer buffer =
        ReadBufferExtended(sweep->index, MAIN_FORKNUM, block, RBM_NORMAL, nullptr);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    const uint8_t* page = buffer_bytes(buffer);
    if (PageIsNew(BufferGetPage(buffer)) || page_fault(page, PageKind::kFree) == nullptr) {
        // A crash may have left a new page behind.
        UnlockReleaseBuffer(buffer);
        record_free_page(sweep->index, block);
        sweep->result->pages_free += 1;
        return;
    }
    BlockNumber swept_list = kNoBlock;
    const BlockNumber list_id = page_trailer(page)->list_id;
    const bool is_plain = list_id == sweep->meta.null_list || list_id == sweep->meta.nan_list;
    if (page_trailer(page)->kind == PageKind::kList && !is_plain &&
        list_id != sweep->meta.root_list && !sweep->known_lists.has(list_id)) {
        // Of a split that has not come to its end.
        const bool is_inner = list_level(page) > 0;
        UnlockReleaseBuffer(buffer);
        free_list_page(sweep->index, block, is_inner ? sweep->inner : sweep->leaf, sweep->result);
        return;
    }
    if (page_trailer(page)->kind == PageKind::kList && list_level(page) == 0) {
        const ListGeometry& geometry = is_plain ? sweep->plain : sweep->leaf;
        check_list_page(sweep->index, buffer, geometry);
        // Local features: a row is what is in the plain lists.
        const bool is_row = is_plain || sweep->meta.content == Content::kDescriptors;
        const bool counts = is_row && (is_plain || sweep->tree_lists.has(list_id));
        if (sweep_entries(sweep, buffer, geometry, counts)) swept_list = list_id;
        // A list whose pages come one after the other is remembered once. A retired one goes as a
        // whole, and a crash may have left it with a chain that ends at a page which serves
        // another.
        if (!is_plain && sweep->tree_lists.has(list_id) && block != list_id &&
            ListPageView(geometry, page).live_count() == 0 &&
            (sweep->emptied_lists == NIL || llast_oid(sweep->emptied_lists) != list_id)) {
            sweep->emptied_lists = lappend_oid(sweep->emptied_lists, list_id);
        }
    }
    const BlockNumber owner = page_trailer(page)->owner;
    UnlockReleaseBuffer(buffer);
    if (owner != kNoBlock)
        recycle_if_orphan(sweep->index, block, owner_geometry(sweep, owner), sweep->result);
    if (swept_list != kNoBlock) forget_insert_place(sweep->index, swept_list);
}

// What was measured does not hold where so much of the rows has gone.
constexpr double kGoneToMeasure = 1.0 / 5;
// Who inserts measures when a tenth of the lists have come. Searches open a tenth more until then:
// after the last row VACUUM has the time.
constexpr uint32 kPartToMeasure = 50;

void tend_lists(Relation index, double rows_gone) {
    if (rows_gone > 0) merge_short_lists(index, static_cast<uint32>(index_options(index).lists));
    const LoadedIndex* loaded = load_index(index);
    if (loaded->meta.leaf_count <= 1) return;
    const auto measured = static_cast<double>(calibration_of(loaded->meta).row_count);
    if (is_measuring_due(*loaded, kPartToMeasure) || are_queries_few(*loaded) ||
        rows_gone > kGoneToMeasure * measured)
        measure_now(index);
}

void give_back_retired_lists(IndexVacuumInfo* info, IndexBulkDeleteResult* result) {
    lock_tree(info->index);
    free_retired_lists(info->index, vacuumed_table(info), result);
    unlock_tree(info->index);
    IndexFreeSpaceMapVacuum(info->index);
}

}  // namespace

IndexBulkDeleteResult* delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* result,
                                   IndexBulkDeleteCallback callback, void* callback_state) {
    if (result == nullptr) {
        result = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
    }
    result->num_index_tuples = 0;
    result->pages_free = 0;
    // A split would move entries from where this has not been to where it has.
    lock_tree(info->index);
    Sweep sweep{};
    sweep.index = info->index;
    sweep.callback = callback;
    sweep.callback_state = callback_state;
    // Lists of a change that did not come true are unknown from here on.
    const TreeChange change = begin_tree_change(info->index);
    sweep.meta = change.meta;
    sweep.leaf = list_geometry(sweep.meta, 0);
    sweep.inner = list_geometry(sweep.meta, 1);
    sweep.plain = plain_list_geometry();
    sweep.known_lists = numbers_of(change.tree);
    sweep.tree_lists = numbers_in_tree(change.tree, sweep.meta.tree_version);
    sweep.result = result;
    // An inserter locks the page that it adds before it gives up this lock: a page counted here
    // that is found new can only be left from a crash.
    const bool is_shared = !RELATION_IS_LOCAL(info->index);
    if (is_shared) LockRelationForExtension(info->index, ExclusiveLock);
    const BlockNumber count = RelationGetNumberOfBlocks(info->index);
    if (is_shared) UnlockRelationForExtension(info->index, ExclusiveLock);
    for (BlockNumber block = kMetaBlock + 1; block < count; ++block) {
        vacuum_pause();
        sweep_page(&sweep, block);
    }
    ListCell* cell;
    foreach (cell, sweep.emptied_lists)
        recycle_empty_pages(info->index, lfirst_oid(cell), sweep.leaf, result);
    unlock_tree(info->index);
    return result;
}

IndexBulkDeleteResult* clean_up_after_vacuum(IndexVacuumInfo* info, IndexBulkDeleteResult* result) {
    if (info->analyze_only) return result;
    if (result == nullptr) {
        // Nothing was dead: the heap knows best how many rows there are.
        result = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
        result->num_index_tuples = info->num_heap_tuples;
        result->estimated_count = info->estimated_count;
    }
    // Lists that are written anew take the pages of those that have gone before.
    give_back_retired_lists(info, result);
    tend_lists(info->index, result->tuples_removed);
    give_back_retired_lists(info, result);
    result->num_pages = RelationGetNumberOfBlocks(info->index);
    return result;
}

}  // namespace lookalike

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

#include "am/storage/free_pages.h"
#include "am/storage/pages.h"
#include "am/storage/recycle.h"
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
    IndexBulkDeleteResult* result;
    List* emptied_lists;  // leaf lists with an empty page behind the first
};

// Inserters of this list look from its first page on again.
void forget_insert_page(Relation index, BlockNumber list_id) {
    const Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_EXCLUSIVE);
    check_page(index, buffer, PageKind::kList);
    if (insert_block(buffer_bytes(buffer)) != kNoBlock) {
        PageChange change(index);
        set_insert_block(change.add(buffer), kNoBlock);
        change.finish();
    }
    UnlockReleaseBuffer(buffer);
}

// Returns whether entries were removed.
bool sweep_entries(Sweep* sweep, Buffer buffer, const ListGeometry& geometry) {
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
            sweep->result->tuples_removed += 1;
        } else {
            sweep->result->num_index_tuples += 1;
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
    if (page_trailer(page)->kind == PageKind::kList && list_level(page) == 0) {
        const BlockNumber list_id = page_trailer(page)->list_id;
        const bool is_plain = list_id == sweep->meta.null_list || list_id == sweep->meta.nan_list;
        const ListGeometry& geometry = is_plain ? sweep->plain : sweep->leaf;
        check_list_page(sweep->index, buffer, geometry);
        if (sweep_entries(sweep, buffer, geometry)) swept_list = list_id;
        // A list whose pages come one after the other is remembered once.
        if (!is_plain && block != list_id && ListPageView(geometry, page).live_count() == 0 &&
            (sweep->emptied_lists == NIL || llast_oid(sweep->emptied_lists) != list_id)) {
            sweep->emptied_lists = lappend_oid(sweep->emptied_lists, list_id);
        }
    }
    const BlockNumber owner = page_trailer(page)->owner;
    UnlockReleaseBuffer(buffer);
    if (owner != kNoBlock)
        recycle_if_orphan(sweep->index, block, owner_geometry(sweep, owner), sweep->result);
    if (swept_list != kNoBlock) forget_insert_page(sweep->index, swept_list);
}

}  // namespace

IndexBulkDeleteResult* delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* result,
                                   IndexBulkDeleteCallback callback, void* callback_state) {
    if (result == nullptr) {
        result = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
    }
    result->num_index_tuples = 0;
    result->pages_free = 0;
    Sweep sweep{};
    sweep.index = info->index;
    sweep.callback = callback;
    sweep.callback_state = callback_state;
    sweep.meta = read_meta(info->index);
    sweep.leaf = list_geometry(sweep.meta, 0);
    sweep.inner = list_geometry(sweep.meta, 1);
    sweep.plain = plain_list_geometry();
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
    result->num_pages = RelationGetNumberOfBlocks(info->index);
    IndexFreeSpaceMapVacuum(info->index);
    return result;
}

}  // namespace lookalike

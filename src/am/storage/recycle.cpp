#include "am/storage/recycle.h"

extern "C" {
#include "commands/vacuum.h"
}

#include "am/storage/free_pages.h"
#include "am/upkeep/named_point.h"

namespace lookalike {
namespace {

bool is_empty(const ListGeometry& geometry, const uint8_t* page) {
    return ListPageView(geometry, page).live_count() == 0;
}

void note_free(Relation index, BlockNumber block, IndexBulkDeleteResult* result) {
    record_free_page(index, block);
    result->pages_deleted += 1;
    result->pages_free += 1;
}

// Readers that still know the page as what it was find out by its kind.
void free_stream_page(Relation index, BlockNumber block, BlockNumber owner,
                      IndexBulkDeleteResult* result) {
    const Buffer buffer = lock_page(index, block, BUFFER_LOCK_EXCLUSIVE);
    const PageTrailer* trailer = page_trailer(buffer_bytes(buffer));
    const bool is_stream = trailer->page_id == kPageId &&
                           (trailer->kind == PageKind::kCode || trailer->kind == PageKind::kRefine);
    if (is_stream && trailer->owner == owner) {
        PageChange change(index);
        make_page(change.add(buffer, true), PageKind::kFree, kNoBlock, kNoBlock);
        change.finish();
        note_free(index, block, result);
    }
    UnlockReleaseBuffer(buffer);
}

// The blocks that a list page names, copied while it is locked.
struct Streams {
    BlockNumber* blocks;
    uint32 count;
};

Streams streams_of(const ListGeometry& geometry, const uint8_t* page) {
    const ListPageView view(geometry, page);
    const uint32 room = geometry.max_code_pages + geometry.max_refine_pages;
    Streams streams{static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * (room + 1))), 0};
    for (uint32 i = 0; i < room; ++i) {
        // Refine pages follow code pages.
        const BlockNumber block = view.code_pages()[i];
        if (block != kNoBlock) streams.blocks[streams.count++] = block;
    }
    return streams;
}

// Takes `empty` out of the chain behind `before`; both are locked, `empty` for this process alone.
Streams unlink(Relation index, const ListGeometry& geometry, Buffer before, Buffer empty) {
    const Streams streams = streams_of(geometry, buffer_bytes(empty));
    const BlockNumber next = page_trailer(buffer_bytes(empty))->next;
    PageChange change(index);
    page_trailer(change.add(before))->next = next;
    make_page(change.add(empty, true), PageKind::kFree, kNoBlock, kNoBlock);
    change.finish();
    return streams;
}

}  // namespace

void free_list_page(Relation index, BlockNumber block, const ListGeometry& geometry,
                    IndexBulkDeleteResult* result) {
    const Buffer buffer = lock_page(index, block, BUFFER_LOCK_EXCLUSIVE);
    check_list_page(index, buffer, geometry);
    const Streams streams = streams_of(geometry, buffer_bytes(buffer));
    PageChange change(index);
    make_page(change.add(buffer, true), PageKind::kFree, kNoBlock, kNoBlock);
    change.finish();
    UnlockReleaseBuffer(buffer);
    note_free(index, block, result);
    named_point("list_page_given_back");
    for (uint32 i = 0; i < streams.count; ++i)
        free_stream_page(index, streams.blocks[i], block, result);
    named_point("page_given_back");
    pfree(streams.blocks);
}

// The last page goes first, so that a crash leaves a chain that can be walked. Where one has come
// before, the chain ends at a page that has gone.
void free_list(Relation index, BlockNumber list_id, const ListGeometry& geometry,
               IndexBulkDeleteResult* result) {
    List* pages = NIL;
    BlockNumber next = list_id;
    while (next != kNoBlock) {
        vacuum_pause();
        check_chain(index, list_id, static_cast<uint32>(list_length(pages)));
        const Buffer buffer = lock_page(index, next, BUFFER_LOCK_SHARE);
        const bool is_ours = is_page_of_list(buffer_bytes(buffer), list_id);
        if (is_ours) pages = lcons_oid(next, pages);
        next = is_ours ? page_trailer(buffer_bytes(buffer))->next : BlockNumber{kNoBlock};
        UnlockReleaseBuffer(buffer);
    }
    ListCell* cell;
    foreach (cell, pages)
        free_list_page(index, lfirst_oid(cell), geometry, result);
    list_free(pages);
}

// Locks go along the chain, as everybody's do. A reader that is about to step to a page has pinned
// it while its predecessor was locked, and so keeps this from having it alone.
void recycle_empty_pages(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                         IndexBulkDeleteResult* result) {
    Buffer before = lock_page(index, list_id, BUFFER_LOCK_EXCLUSIVE);
    for (uint32 length = 0;; ++length) {
        check_chain(index, list_id, length);
        check_list_page(index, before, geometry);
        const BlockNumber block = page_trailer(buffer_bytes(before))->next;
        if (block == kNoBlock) break;
        const Buffer buffer = pin_page(index, block);
        if (ConditionalLockBufferForCleanup(buffer)) {
            check_list_page(index, buffer, geometry);
            if (is_empty(geometry, buffer_bytes(buffer))) {
                const Streams streams = unlink(index, geometry, before, buffer);
                UnlockReleaseBuffer(buffer);
                note_free(index, block, result);
                for (uint32 i = 0; i < streams.count; ++i)
                    free_stream_page(index, streams.blocks[i], block, result);
                pfree(streams.blocks);
                continue;
            }
            UnlockReleaseBuffer(before);
        } else {
            UnlockReleaseBuffer(before);
            LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
        }
        before = buffer;
    }
    UnlockReleaseBuffer(before);
}

// A stream page and its link are made in one step, so a page without a link never gets one.
void recycle_if_orphan(Relation index, BlockNumber block, const ListGeometry& geometry,
                       IndexBulkDeleteResult* result) {
    Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
    const PageTrailer trailer = *page_trailer(buffer_bytes(buffer));
    UnlockReleaseBuffer(buffer);
    if (trailer.kind != PageKind::kCode && trailer.kind != PageKind::kRefine) return;
    buffer = lock_page(index, trailer.owner, BUFFER_LOCK_SHARE);
    const uint8_t* owner = buffer_bytes(buffer);
    bool is_named = false;
    if (page_fault(owner, PageKind::kList) == nullptr &&
        page_trailer(owner)->list_id == trailer.list_id) {
        check_list_page(index, buffer, geometry);
        const Streams streams = streams_of(geometry, owner);
        for (uint32 i = 0; i < streams.count; ++i)
            is_named = is_named || streams.blocks[i] == block;
        pfree(streams.blocks);
    }
    UnlockReleaseBuffer(buffer);
    if (!is_named) free_stream_page(index, block, trailer.owner, result);
}

}  // namespace lookalike

#include "am/storage/row_walk.h"

extern "C" {
#include "miscadmin.h"
#include "storage/bufmgr.h"
}

#include "am/storage/pages.h"
#include "core/page/list_page.h"

namespace lookalike {
namespace {

void take_rows(RowWalk* walk, const ListPageView& page) {
    for (uint32 i = 0; i < page.entry_places(); ++i) {
        if (page.is_live(i)) walk->pointers[walk->pointer_count++] = page.pointer(i);
    }
}

void take_list_page(RowWalk* walk, Relation index, Buffer buffer) {
    const ListGeometry geometry = plain_list_geometry();
    check_list_page(index, buffer, geometry);
    const uint8_t* page = buffer_bytes(buffer);
    take_rows(walk, ListPageView(geometry, page));
    walk->next_page = page_trailer(page)->next;
}

// Pages of all kinds lie in the file; those of the root hold no rows. A list that was split has its
// rows in others, too.
void take_file_page(RowWalk* walk, Relation index, const MetaPage& meta, Buffer buffer) {
    const uint8_t* page = buffer_bytes(buffer);
    const BlockNumber block = walk->next_page++;
    if (page_fault(page, PageKind::kList) != nullptr) {
        if (page_trailer(page)->page_id != kPageId && !PageIsNew(BufferGetPage(buffer))) {
            raise_corrupted(index, block, "the page does not belong to a faiss index");
        }
        return;
    }
    const BlockNumber list_id = page_trailer(page)->list_id;
    if (list_id == walk->left_out || list_level(page) > 0) return;
    const bool is_plain = list_id == meta.null_list || list_id == meta.nan_list;
    if (!is_plain && !walk->lists.has(list_id)) return;
    const ListGeometry geometry = is_plain ? plain_list_geometry() : list_geometry(meta, 0);
    check_list_page(index, buffer, geometry);
    take_rows(walk, ListPageView(geometry, page));
}

bool take_next_page(RowWalk* walk, Relation index, const MetaPage& meta) {
    if (walk->is_of_file ? walk->next_page >= walk->page_limit : walk->next_page == kNoBlock) {
        return false;
    }
    CHECK_FOR_INTERRUPTS();
    check_chain(index, walk->next_page, walk->walked_pages++);
    const Buffer buffer = lock_page(index, walk->next_page, BUFFER_LOCK_SHARE);
    walk->pointer_count = 0;
    walk->pointer_position = 0;
    if (walk->is_of_file) {
        take_file_page(walk, index, meta, buffer);
    } else {
        take_list_page(walk, index, buffer);
    }
    UnlockReleaseBuffer(buffer);
    return true;
}

}  // namespace

RowWalk make_row_walk() {
    RowWalk walk{};
    walk.pointers = static_cast<EntryPointer*>(
        palloc(sizeof(EntryPointer) * Max(plain_list_geometry().max_entries, 2048u)));
    return walk;
}

void walk_list(RowWalk* walk, BlockNumber first_page) {
    EntryPointer* pointers = walk->pointers;
    *walk = RowWalk{};
    walk->pointers = pointers;
    walk->next_page = first_page;
}

void walk_file(RowWalk* walk, Relation index, const MetaPage& meta, BlockNumber left_out) {
    walk_list(walk, kMetaBlock + 1);
    walk->lists = numbers_in_tree(read_tree(index, meta), meta.tree_version);
    walk->is_of_file = true;
    walk->page_limit = RelationGetNumberOfBlocks(index);
    walk->left_out = left_out;
}

bool next_of_walk(RowWalk* walk, Relation index, const MetaPage& meta, EntryPointer* row) {
    while (walk->pointer_position >= walk->pointer_count) {
        if (!take_next_page(walk, index, meta)) return false;
    }
    *row = walk->pointers[walk->pointer_position++];
    return true;
}

}  // namespace lookalike

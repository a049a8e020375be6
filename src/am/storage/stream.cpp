#include "am/storage/stream.h"

namespace lookalike {

StreamStretch code_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 block) {
    const StreamPlace place = geometry.code_place(block);
    return {.kind = PageKind::kCode,
            .list_id = page_trailer(page)->list_id,
            .list_page = list_page,
            .pages = ListPageView(geometry, page).code_pages() + place.page_index,
            .page_count = geometry.max_code_pages - place.page_index,
            .offset = place.offset,
            .length = geometry.block_code_bytes};
}

StreamStretch bits_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 entry) {
    StreamStretch stretch = code_stretch(geometry, page, list_page, entry / kBlockEntries);
    const uint32 begin = stretch.offset + entry % kBlockEntries * geometry.row_code_bytes;
    stretch.pages += begin / kBodyBytes;
    stretch.page_count -= begin / kBodyBytes;
    stretch.offset = begin % kBodyBytes;
    stretch.length = geometry.row_code_bytes;
    return stretch;
}

StreamStretch slot_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 entry) {
    const StreamPlace place = geometry.slot_place(entry);
    return {.kind = PageKind::kRefine,
            .list_id = page_trailer(page)->list_id,
            .list_page = list_page,
            .pages = ListPageView(geometry, page).refine_pages() + place.page_index,
            .page_count = geometry.max_refine_pages - place.page_index,
            .offset = place.offset,
            .length = geometry.slot_bytes};
}

bool copy_stretch(Relation index, const StreamStretch& stretch, uint8_t* to) {
    uint32 offset = stretch.offset;
    size_t left = stretch.length;
    for (uint32 i = 0; left > 0; ++i) {
        if (i >= stretch.page_count) {
            raise_corrupted(index, stretch.list_page, "a code or refine page is missing");
        }
        const Buffer buffer = lock_page(index, stretch.pages[i], BUFFER_LOCK_SHARE);
        const uint8_t* page = buffer_bytes(buffer);
        if (!belongs_to(page, stretch.kind, stretch.list_id, stretch.list_page)) {
            check_recyclable(index, buffer, stretch.kind);
            UnlockReleaseBuffer(buffer);
            return false;
        }
        const size_t part = Min(left, size_t{kBodyBytes} - offset);
        memcpy(to, page_body(page) + offset, part);
        UnlockReleaseBuffer(buffer);
        to += part;
        left -= part;
        offset = 0;
    }
    return true;
}

const uint8_t* codes_of_block(Relation index, const ListGeometry& geometry, const uint8_t* page,
                              BlockNumber list_page, uint32 block, uint8_t* room) {
    if (geometry.codes_inside) return ListPageView(geometry, page).codes(block);
    return copy_stretch(index, code_stretch(geometry, page, list_page, block), room) ? room
                                                                                     : nullptr;
}

// A page that is not ours any more was recycled by VACUUM, which only happens to entries that no
// snapshot can see; but a page that never was ours is damage.
void check_recyclable(Relation index, Buffer buffer, PageKind kind) {
    const uint8_t* page = buffer_bytes(buffer);
    for (const PageKind other : {kind, PageKind::kFree, PageKind::kList, PageKind::kCode,
                                 PageKind::kRefine, PageKind::kVector}) {
        if (page_fault(page, other) == nullptr) return;
    }
    raise_corrupted(index, BufferGetBlockNumber(buffer), page_fault(page, kind));
}

bool is_still_of_list(Relation index, Buffer buffer, BlockNumber list_id) {
    const uint8_t* page = buffer_bytes(buffer);
    if (is_page_of_list(page, list_id) && list_level(page) == 0) return true;
    check_recyclable(index, buffer, PageKind::kList);
    return false;
}

}  // namespace lookalike

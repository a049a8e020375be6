#include "am/storage/root_copy.h"

#include "core/page/refine_slot.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// Looked at here, once, so that no search has to. A slot that runs over pages is read from the
// index and looked at there.
bool has_whole_slots(const RootCopy& copy, const ListGeometry& geometry) {
    for (size_t at = 0; at < copy.pages.size(); at += BLCKSZ) {
        const uint8_t* page = copy.pages.data() + at;
        if (page_trailer(page)->kind != PageKind::kList) continue;
        if (list_page_fault(geometry, page) != nullptr) return false;
        const ListPageView view(geometry, page);
        const auto block = static_cast<BlockNumber>(copy.first_block + at / BLCKSZ);
        for (uint32_t i = 0; i < view.entry_places(); ++i) {
            const StreamPlace place = geometry.slot_place(i);
            if (!view.is_live(i) || place.offset + geometry.slot_bytes > kBodyBytes) continue;
            const uint8_t* slots = copy.page(view.refine_pages()[place.page_index]);
            if (slots == nullptr || !belongs_to(slots, PageKind::kRefine, copy.first_block, block))
                return false;
            const uint8_t* slot = page_body(slots) + place.offset;
            RefineSlotHeader header;
            memcpy(&header, slot, sizeof header);
            if (header.pointer != view.pointer(i) || !is_intact(slot, geometry.slot_bytes))
                return false;
        }
    }
    return true;
}

}  // namespace

void copy_root(Relation index, const IndexShape& shape, size_t most_bytes,
               std::shared_ptr<const RootCopy>* copy) {
    // Else only its pages as they are now say where its slots lie.
    if (!shape.levels[1].codes_inside) return;
    const uint64 page_count = shape.levels[1].pages_for(shape.leaf_count);
    if (page_count > most_bytes / BLCKSZ) return;
    const size_t size = static_cast<size_t>(page_count) * BLCKSZ;
    auto* pages = static_cast<uint8_t*>(MemoryContextAllocHuge(CurrentMemoryContext, size));
    bool is_sound = true;
    for (BlockNumber i = 0; i < page_count && is_sound; ++i) {
        CHECK_FOR_INTERRUPTS();
        const Buffer buffer = lock_page(index, shape.root_list + i, BUFFER_LOCK_SHARE);
        const uint8_t* page = buffer_bytes(buffer);
        is_sound = page_fault(page, page_trailer(page)->kind) == nullptr &&
                   page_trailer(page)->list_id == shape.root_list;
        memcpy(pages + size_t{i} * BLCKSZ, page, BLCKSZ);
        UnlockReleaseBuffer(buffer);
    }
    if (is_sound) {
        run_core([&] {
            auto made = std::make_shared<const RootCopy>(
                RootCopy{shape.root_list, std::vector<uint8_t>(pages, pages + size)});
            if (shape.levels[1].slot_bytes == 0 || has_whole_slots(*made, shape.levels[1]))
                *copy = std::move(made);
        });
    }
    pfree(pages);
}

}  // namespace lookalike

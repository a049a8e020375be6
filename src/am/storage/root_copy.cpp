#include "am/storage/root_copy.h"

#include "core/page/refine_slot.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// Pages as they are copied: an array that doubles, in the current memory context.
struct CopiedPages {
    uint8_t* bytes;
    uint32 count;
    uint32 room;

    uint8_t* page(BlockNumber block) const {
        return bytes + size_t{block - RootCopy::kFirst} * BLCKSZ;
    }
};

// Returns the number that the copied page has in the copy.
BlockNumber copy_page(Relation index, BlockNumber block, CopiedPages* copied) {
    CHECK_FOR_INTERRUPTS();
    if (copied->count == copied->room) {
        copied->room *= 2;
        copied->bytes =
            static_cast<uint8_t*>(repalloc_huge(copied->bytes, size_t{copied->room} * BLCKSZ));
    }
    const Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
    memcpy(copied->bytes + size_t{copied->count} * BLCKSZ, buffer_bytes(buffer), BLCKSZ);
    UnlockReleaseBuffer(buffer);
    return RootCopy::kFirst + copied->count++;
}

// Copies a list page and then what it names: what an entry of the page needs was there before it.
// Returns the number of the copied list page; kNoBlock: it is not sound.
BlockNumber copy_list_page(Relation index, const IndexShape& shape, BlockNumber block,
                           CopiedPages* copied) {
    const ListGeometry& geometry = shape.levels[1];
    const BlockNumber number = copy_page(index, block, copied);
    if (list_page_fault(geometry, copied->page(number)) != nullptr ||
        page_trailer(copied->page(number))->list_id != shape.root_list)
        return kNoBlock;
    for (uint32 i = 0; i < geometry.max_refine_pages; ++i) {
        const BlockNumber slots = ListPageView(geometry, copied->page(number)).refine_pages()[i];
        if (slots == kNoBlock) continue;
        const BlockNumber copy_of_slots = copy_page(index, slots, copied);
        if (!belongs_to(copied->page(copy_of_slots), PageKind::kRefine, shape.root_list, block))
            return kNoBlock;
        set_refine_page(geometry, copied->page(number), i, copy_of_slots);
    }
    return number;
}

bool copy_pages(Relation index, const IndexShape& shape, size_t most_bytes, CopiedPages* copied) {
    BlockNumber before = kNoBlock;
    uint32 length = 0;
    for (BlockNumber block = shape.root_list; block != kNoBlock;) {
        check_chain(index, shape.root_list, length++);
        const BlockNumber number = copy_list_page(index, shape, block, copied);
        if (number == kNoBlock || copied->count > most_bytes / BLCKSZ) return false;
        if (before != kNoBlock) page_trailer(copied->page(before))->next = number;
        block = page_trailer(copied->page(number))->next;
        before = number;
    }
    return true;
}

bool has_whole_slot(const RootCopy& copy, const ListGeometry& geometry, const ListPageView& view,
                    uint32_t index, uint8_t* slot) {
    const StreamPlace place = geometry.slot_place(index);
    const std::span<const BlockNumber> pages(view.refine_pages() + place.page_index,
                                             geometry.max_refine_pages - place.page_index);
    if (!copy_from_root(copy, pages, place.offset, geometry.slot_bytes, slot)) return false;
    RefineSlotHeader header;
    memcpy(&header, slot, sizeof header);
    return header.pointer == view.pointer(index) && is_intact(slot, geometry.slot_bytes);
}

// Leaves the lists of the tree at this version, and looks at their slots here, once, so that no
// search has to. False: one of them is damaged.
bool leave_lists_of(uint32_t version, const ListGeometry& geometry, RootCopy* copy) {
    std::vector<uint8_t> slot(geometry.slot_bytes);
    for (size_t at = 0; at < copy->pages.size(); at += BLCKSZ) {
        uint8_t* page = copy->pages.data() + at;
        if (page_trailer(page)->kind != PageKind::kList) continue;
        const ListPageView view(geometry, page);
        for (uint32_t i = 0; i < view.entry_places(); ++i) {
            if (!view.is_live(i)) continue;
            if (!is_in_tree(read_attributes(view, i), version)) {
                clear_entry(geometry, page, i);
            } else if (geometry.slot_bytes > 0 &&
                       !has_whole_slot(*copy, geometry, view, i, slot.data())) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

bool copy_from_root(const RootCopy& copy, std::span<const BlockNumber> pages, uint32 offset,
                    size_t length, uint8_t* to) {
    for (const BlockNumber block : pages) {
        const uint8_t* page = copy.page(block);
        if (page == nullptr) return false;
        const size_t part = Min(length, size_t{kBodyBytes} - offset);
        memcpy(to, page_body(page) + offset, part);
        to += part;
        length -= part;
        offset = 0;
        if (length == 0) return true;
    }
    return false;
}

void copy_root(Relation index, const IndexShape& shape, size_t most_bytes,
               std::shared_ptr<const RootCopy>* copy) {
    // Else only its pages as they are now say where its codes lie.
    if (!shape.levels[1].codes_inside) return;
    const uint64 expected = shape.levels[1].pages_for(shape.leaf_count);
    if (expected > most_bytes / BLCKSZ) return;
    CopiedPages copied{nullptr, 0, static_cast<uint32>(expected) + 1};
    copied.bytes = static_cast<uint8_t*>(
        MemoryContextAllocHuge(CurrentMemoryContext, size_t{copied.room} * BLCKSZ));
    if (copy_pages(index, shape, most_bytes, &copied)) {
        run_core([&] {
            auto made = std::make_shared<RootCopy>();
            made->pages.assign(copied.bytes, copied.bytes + size_t{copied.count} * BLCKSZ);
            if (leave_lists_of(shape.tree_version, shape.levels[1], made.get()))
                *copy = std::move(made);
        });
    }
    pfree(copied.bytes);
}

}  // namespace lookalike

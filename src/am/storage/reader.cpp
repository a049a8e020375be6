#include "am/storage/reader.h"

extern "C" {
#include "access/xlog.h"
}

#include "am/options.h"
#include "am/storage/stream.h"
#include "core/page/refine_slot.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// Slots that are on their way while one is looked at, and what of a long one is worth it: the
// processor finds the rest by itself once it sees it read in order.
constexpr uint32 kSlotsAhead = 4;
constexpr uint32 kSlotBytesAhead = 1024;

// A block is looked at when one of its entries passes the filter. Where hardly one in ten is,
// fetching all takes longer than waiting for those few.
constexpr double kRareShare = 0.1 / kBlockEntries;

// One of `count` parts of what a search looks at in a page.
void prefetch_part(const LevelScan& level, const uint8_t* page, uint32 part, uint32 count) {
    const ListGeometry& geometry = level.geometry();
    const uint8_t* body = page_body(page);
    if (level.passed_share() > kRareShare) {
        const size_t length = geometry.attribute_offset[0] / count;
        prefetch(body + part * length, length);
    }
    if (level.filter() == nullptr) return;
    for (const AttributeFilter& filter : level.filter()->filters()) {
        const size_t length =
            geometry.max_blocks * geometry.attributes.part_bytes(filter.attribute) / count;
        prefetch(body + geometry.attribute_offset[filter.attribute] + part * length, length);
    }
}

// A page comes from memory about as fast as its codes are looked at, so while one is, `upcoming` is
// fetched. It may be null.
void push_inside(LevelScan* level, const uint8_t* page, BlockNumber block,
                 const uint8_t* upcoming) {
    const ListGeometry& geometry = level->geometry();
    run_core([&] {
        const ListPageView view(geometry, page);
        const uint32 block_count = view.header().block_count;
        level->begin_page(page, block);
        for (uint32_t i = 0; i < block_count; ++i) {
            if (upcoming != nullptr) prefetch_part(*level, upcoming, i, block_count);
            level->push_block(view, i, geometry.row_code_bytes > 0 ? view.codes(i) : nullptr);
        }
    });
}

// The page's copy is used without lock: its code pages are read one after the other.
void push_outside(Reader* reader, LevelScan* level, BlockNumber block) {
    const ListGeometry& geometry = level->geometry();
    const ListPageView view(geometry, reader->page);
    run_core([&] { level->begin_page(reader->page, block); });
    for (uint32_t i = 0; i < view.header().block_count; ++i) {
        CHECK_FOR_INTERRUPTS();
        if (view.live(i) == 0) continue;
        const StreamStretch stretch = code_stretch(geometry, reader->page, block, i);
        if (copy_stretch(reader->index, stretch, reader->codes)) {
            run_core([&] { level->push_block(view, i, reader->codes); });
        }
    }
}

// Each next page is pinned while its predecessor is locked, so that VACUUM, which needs a page for
// itself alone before it recycles it, cannot take it away in between. Replay does not ask who has
// pinned a page: on a standby the predecessor stays locked until the next page is.
void read_list(Reader* reader, LevelScan* level, BlockNumber list_id) {
    Relation index = reader->index;
    const ListGeometry& geometry = level->geometry();
    const bool locks_overlap = RecoveryInProgress();
    Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_SHARE);
    for (uint32 length = 1;; ++length) {
        const uint8_t* page = buffer_bytes(buffer);
        const BlockNumber block = BufferGetBlockNumber(buffer);
        check_list_page(index, buffer, geometry);
        if (page_trailer(page)->list_id != list_id) {
            raise_corrupted(index, block, "the page belongs to another list");
        }
        const BlockNumber next = page_trailer(page)->next;
        if (length == 1 && run_core([&] { return level->skip_list(page); })) {
            UnlockReleaseBuffer(buffer);
            return;
        }
        const BlockNumber following = next != kNoBlock ? next : level->following_list();
        const uint8_t* upcoming = following == kNoBlock ? nullptr : expect_page(index, following);
        if (geometry.codes_inside) {
            push_inside(level, page, block, upcoming);
        } else {
            memcpy(reader->page, page, BLCKSZ);
        }
        const Buffer next_buffer = next == kNoBlock ? InvalidBuffer : pin_page(index, next);
        if (!locks_overlap) UnlockReleaseBuffer(buffer);
        if (!geometry.codes_inside) push_outside(reader, level, block);
        CHECK_FOR_INTERRUPTS();
        if (next_buffer != InvalidBuffer && level->can_stop()) {
            ReleaseBuffer(next_buffer);
            if (locks_overlap) UnlockReleaseBuffer(buffer);
            break;
        }
        if (next_buffer != InvalidBuffer) {
            check_chain(index, list_id, length);
            LockBuffer(next_buffer, BUFFER_LOCK_SHARE);
        }
        if (locks_overlap) UnlockReleaseBuffer(buffer);
        if (next_buffer == InvalidBuffer) break;
        buffer = next_buffer;
    }
    run_core([&] { level->finish_list(); });
}

bool is_of_copy(const Reader* reader, const LevelScan& level) {
    return level.is_inner() && reader->root != nullptr;
}

// A page of the root's copy; damaged links may lead out of it.
const uint8_t* root_page(const Reader* reader, BlockNumber block) {
    const uint8_t* page = reader->root->page(block);
    if (page == nullptr) {
        raise_corrupted(reader->index, block, "a link of the root leads out of it");
    }
    return page;
}

void read_root(Reader* reader, LevelScan* level, BlockNumber list_id) {
    uint32 length = 0;
    for (BlockNumber block = RootCopy::kFirst; block != kNoBlock;) {
        const uint8_t* page = root_page(reader, block);
        if (const char* fault = list_page_fault(level->geometry(), page)) {
            raise_corrupted(reader->index, block, fault);
        }
        check_chain(reader->index, list_id, ++length);
        push_inside(level, page, block, nullptr);
        block = page_trailer(page)->next;
    }
    run_core([&] { level->finish_list(); });
}

// The slots of the copy are known to be whole.
void read_root_slot(Reader* reader, LevelScan* level, const EntryPlace& place) {
    const uint8_t* slot = page_body(root_page(reader, place.slot_pages[0])) + place.slot_offset;
    const uint32 length = level->geometry().slot_bytes;
    if (place.slot_offset + length > kBodyBytes) {
        if (!copy_from_root(*reader->root, place.slot_pages, place.slot_offset, length,
                            reader->slot)) {
            raise_corrupted(reader->index, place.list_page, "a link of the root leads out of it");
        }
        slot = reader->slot;
    }
    run_core([&] { level->push_slot(slot); });
}

// The slots that will be wanted next lie anywhere; while this one is looked at, theirs can come.
void prefetch_slot(Reader* reader, const LevelScan& level) {
    const ListGeometry& geometry = level.geometry();
    const bool is_copied = is_of_copy(reader, level);
    EntryPlace following;
    if (!is_copied && level.following_entry(2 * kSlotsAhead, &following) &&
        !following.slot_pages.empty()) {
        prefetch_hint(reader->index, following.slot_pages[0]);
    }
    if (!level.following_entry(kSlotsAhead, &following) || following.slot_pages.empty()) return;
    const BlockNumber block = following.slot_pages[0];
    const uint8_t* page = is_copied ? reader->root->page(block) : expect_page(reader->index, block);
    if (page == nullptr) return;
    prefetch(page_body(page) + following.slot_offset, Min(geometry.slot_bytes, kSlotBytesAhead));
}

// What should be read has gone: removed by VACUUM. Of a root nothing ever is.
void drop_entry(Reader* reader, LevelScan* level, BlockNumber block) {
    if (level->is_inner()) {
        raise_corrupted(reader->index, block, "the page belongs to another list page");
    }
    run_core([&] { level->drop_entry(); });
}

// Whether an entry is still on its list page, which is locked.
bool is_there(Reader* reader, const ListGeometry& geometry, Buffer buffer,
              const EntryPlace& place) {
    const uint8_t* page = buffer_bytes(buffer);
    if (!is_page_of_list(page, place.list_id)) {
        check_recyclable(reader->index, buffer, PageKind::kList);
        return false;
    }
    check_list_page(reader->index, buffer, geometry);
    return ListPageView(geometry, page).is_live(place.index);
}

// Copies the refine slot at `place`; false when VACUUM has recycled its pages.
bool copy_slot(Relation index, const ListGeometry& geometry, const EntryPlace& place,
               uint8_t* slot) {
    const StreamStretch stretch{.kind = PageKind::kRefine,
                                .list_id = place.list_id,
                                .list_page = place.list_page,
                                .pages = place.slot_pages.data(),
                                .page_count = static_cast<uint32>(place.slot_pages.size()),
                                .offset = place.slot_offset,
                                .length = geometry.slot_bytes};
    return copy_stretch(index, stretch, slot);
}

// A slot that is not whole: of an entry that VACUUM has removed since its list page was read it may
// be half overwritten, or its page may have come back to the same list page in another place. The
// slot of an entry that is there is damaged then. With the list page locked none of its slots is
// written.
void look_again(Reader* reader, LevelScan* level, const EntryPlace& place) {
    const ListGeometry& geometry = level->geometry();
    const Buffer buffer = lock_page(reader->index, place.list_page, BUFFER_LOCK_SHARE);
    const bool found = is_there(reader, geometry, buffer, place);
    if (found) {
        const StreamStretch stretch =
            slot_stretch(geometry, buffer_bytes(buffer), place.list_page, place.index);
        if (!copy_stretch(reader->index, stretch, reader->slot) ||
            !is_intact(reader->slot, geometry.slot_bytes)) {
            raise_corrupted(reader->index, stretch.pages[0], "a refine slot is damaged");
        }
    }
    UnlockReleaseBuffer(buffer);
    if (!found) return drop_entry(reader, level, place.list_page);
    run_core([&] { level->push_slot(reader->slot); });
}

void read_entry_slot(Reader* reader, LevelScan* level, const EntryPlace& place) {
    const ListGeometry& geometry = level->geometry();
    if (place.slot_pages.empty()) {
        raise_corrupted(reader->index, place.list_page, "a refine page is missing");
    }
    if (is_of_copy(reader, *level)) {
        prefetch_slot(reader, *level);
        read_root_slot(reader, level, place);
        return;
    }
    if (place.slot_offset + geometry.slot_bytes > kBodyBytes) {
        if (!copy_slot(reader->index, geometry, place, reader->slot)) {
            drop_entry(reader, level, place.slot_pages[0]);
        } else if (is_intact(reader->slot, geometry.slot_bytes)) {
            run_core([&] { level->push_slot(reader->slot); });
        } else {
            look_again(reader, level, place);
        }
        return;
    }
    prefetch_slot(reader, *level);
    const Buffer buffer = lock_page(reader->index, place.slot_pages[0], BUFFER_LOCK_SHARE);
    const uint8_t* page = buffer_bytes(buffer);
    const uint8_t* slot = page_body(page) + place.slot_offset;
    bool is_whole = true;
    if (!belongs_to(page, PageKind::kRefine, place.list_id, place.list_page)) {
        check_recyclable(reader->index, buffer, PageKind::kRefine);
        drop_entry(reader, level, place.slot_pages[0]);
    } else if (is_intact(slot, geometry.slot_bytes)) {
        run_core([&] { level->push_slot(slot); });
    } else {
        is_whole = false;
    }
    UnlockReleaseBuffer(buffer);
    if (!is_whole) look_again(reader, level, place);
}

void read_entry_pointer(Reader* reader, LevelScan* level, const EntryPlace& place) {
    const ListGeometry& geometry = level->geometry();
    if (is_of_copy(reader, *level)) {
        const ListPageView view(geometry, root_page(reader, place.list_page));
        run_core([&] { level->push_pointer(view.pointer(place.index)); });
        return;
    }
    const Buffer buffer = lock_page(reader->index, place.list_page, BUFFER_LOCK_SHARE);
    const bool found = is_there(reader, geometry, buffer, place);
    if (found) {
        const ListPageView view(geometry, buffer_bytes(buffer));
        run_core([&] { level->push_pointer(view.pointer(place.index)); });
    }
    UnlockReleaseBuffer(buffer);
    if (!found) drop_entry(reader, level, place.list_page);
}

}  // namespace

// Without refine codes rows come in the order of their estimates, so these get no discount.
double scan_epsilon_of(Relation index, Refine refine) {
    return refine == Refine::kNone ? 0 : scan_epsilon(wanted_recall(index_options(index)));
}

void copy_centroid(Reader* reader, const SearchStep& step, uint32 code_dims, float* centroid) {
    const ListGeometry& geometry = step.level->geometry();
    const EntryPlace place = step.level->place(step.found.id);
    const bool is_there = is_of_copy(reader, *step.level)
                              ? copy_from_root(*reader->root, place.slot_pages, place.slot_offset,
                                               geometry.slot_bytes, reader->slot)
                              : copy_slot(reader->index, geometry, place, reader->slot);
    if (!is_there) raise_corrupted(reader->index, place.list_page, "a centroid is missing");
    read_slot_floats(reader->slot, code_dims, centroid);
}

Reader* make_reader(Relation index, const LoadedIndex& loaded, const DescriptorView& query,
                    const SearchOptions& options) {
    auto* reader = static_cast<Reader*>(palloc0(sizeof(Reader)));
    reader->index = index;
    auto* owned = ContextOwned<SearchObjects>::make();
    SearchObjects* objects;
    if (is_binary(loaded.meta.metric)) {
        objects = owned->create(loaded.shape, query.bits(), options, loaded.root);
    } else {
        auto* scratch = static_cast<float*>(palloc(sizeof(float) * query.dims));
        objects = owned->create(loaded.shape, *loaded.space, as_reals(query, scratch),
                                scan_epsilon_of(index, loaded.shape.refine), options, loaded.root);
    }
    reader->search = &objects->search;
    reader->root = objects->root.get();
    const ListGeometry& leaf = loaded.shape.levels[0];
    const ListGeometry& inner = loaded.shape.levels[1];
    if (!leaf.codes_inside || !inner.codes_inside) {
        reader->page = static_cast<uint8_t*>(palloc(BLCKSZ));
        reader->codes = static_cast<uint8_t*>(palloc(leaf.block_code_bytes));
    }
    reader->slot = static_cast<uint8_t*>(palloc(Max(leaf.slot_bytes, inner.slot_bytes) + 1));
    return reader;
}

SearchStep next_step(Reader* reader) {
    for (;;) {
        const SearchStep step = run_core([&] { return reader->search->next(); });
        switch (step.what) {
            case SearchStep::What::kReadList:
                if (is_of_copy(reader, *step.level)) {
                    read_root(reader, step.level, step.list_id);
                } else {
                    read_list(reader, step.level, step.list_id);
                }
                break;
            case SearchStep::What::kReadEntry:
                if (step.level->geometry().slot_bytes > 0) {
                    read_entry_slot(reader, step.level, step.place);
                } else {
                    read_entry_pointer(reader, step.level, step.place);
                }
                break;
            case SearchStep::What::kMeasure:
            case SearchStep::What::kEmit:
            case SearchStep::What::kDone:
                return step;
        }
    }
}

}  // namespace lookalike

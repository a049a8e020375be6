// The pages of an index, from the meta page along every link; then those that no link leads to.
#include "inspect/check.h"

extern "C" {
#include "access/xlog.h"
}

#include <algorithm>
#include <cstring>

#include "am/storage/stream.h"
#include "core/page/list_summary.h"
#include "core/page/refine_slot.h"

namespace lookalike {
namespace {

// Of pages that came later nobody asks. Beside writers a page may serve one list after another:
// that two have it at the same time its own page tells, which names one.
void mark_reached(CheckState* state, BlockNumber block) {
    if (block >= state->block_count) return;
    uint8_t* byte = &state->reached[block / 8];
    const auto bit = static_cast<uint8_t>(1 << (block % 8));
    if (state->locks_writers && (*byte & bit)) {
        raise_corrupted(state->index, block, "two links lead to the page");
    }
    *byte |= bit;
}

// A page that is linked, and locked.
void check_reached(CheckState* state, Buffer buffer, PageKind kind) {
    const BlockNumber block = BufferGetBlockNumber(buffer);
    check_page(state->index, buffer, kind);
    mark_reached(state, block);
    const auto* header = reinterpret_cast<PageHeader>(buffer_bytes(buffer));
    if (header->pd_special != BLCKSZ - sizeof(PageTrailer) ||
        header->pd_lower != header->pd_special || header->pd_upper != header->pd_special) {
        raise_corrupted(state->index, block, "the page has a hole");
    }
}

Buffer reach_page(CheckState* state, BlockNumber block, PageKind kind) {
    CHECK_FOR_INTERRUPTS();
    const Buffer buffer = lock_page(state->index, block, BUFFER_LOCK_SHARE);
    check_reached(state, buffer, kind);
    return buffer;
}

// A code or refine page of a list page.
void check_stream_page(CheckState* state, BlockNumber block, PageKind kind, BlockNumber list_id,
                       BlockNumber list_page) {
    const Buffer buffer = reach_page(state, block, kind);
    const PageTrailer* trailer = page_trailer(buffer_bytes(buffer));
    if (trailer->list_id != list_id || trailer->owner != list_page) {
        raise_corrupted(state->index, block, "the page belongs to another list page");
    }
    UnlockReleaseBuffer(buffer);
}

// The pages that a list page names, also those that no entry uses yet, and those that its entries
// need. The list page is locked, so that they are its own.
void check_streams(CheckState* state, BlockNumber list_page, const ListGeometry& geometry) {
    const ListPageView view(geometry, state->page);
    const BlockNumber list_id = page_trailer(state->page)->list_id;
    for (uint32 i = 0; i < geometry.max_code_pages; ++i) {
        const BlockNumber block = view.code_pages()[i];
        if (block != kNoBlock) {
            check_stream_page(state, block, PageKind::kCode, list_id, list_page);
        }
    }
    for (uint32 i = 0; i < geometry.max_refine_pages; ++i) {
        const BlockNumber block = view.refine_pages()[i];
        if (block != kNoBlock) {
            check_stream_page(state, block, PageKind::kRefine, list_id, list_page);
        }
    }
    if (geometry.slot_bytes == 0) return;
    for (uint32 i = 0; i < view.entry_places(); ++i) {
        if (!view.is_live(i)) continue;
        const StreamPlace place = geometry.slot_place(i);
        const uint32 last =
            place.page_index + (place.offset + geometry.slot_bytes - 1) / kBodyBytes;
        for (uint32 page = place.page_index; page <= last; ++page) {
            if (view.refine_pages()[page] == kNoBlock) {
                raise_corrupted(state->index, list_page, "a refine page is missing");
            }
        }
    }
}

typedef void (*CheckEntry)(CheckState* state, BlockNumber list_page, uint32 index);

// Copies a page of a list, which is locked, to state->page, and checks all but its entries.
void check_page_of_list(CheckState* state, Buffer buffer, BlockNumber list_id,
                        const ListGeometry& geometry, uint32 level) {
    const BlockNumber block = BufferGetBlockNumber(buffer);
    check_reached(state, buffer, PageKind::kList);
    check_list_page(state->index, buffer, geometry);
    memcpy(state->page, buffer_bytes(buffer), BLCKSZ);
    const PageTrailer* trailer = page_trailer(state->page);
    const ListHeader& header = ListPageView(geometry, state->page).header();
    if (trailer->list_id != list_id) {
        raise_corrupted(state->index, block, "the page belongs to another list");
    }
    if (header.level != level || trailer->owner != kNoBlock) {
        raise_corrupted(state->index, block, "the page is of another level of the tree");
    }
    // Only a hint, and the page it names may serve another list by now; but it must exist.
    if ((header.insert_block >= state->block_count &&
         header.insert_block >= RelationGetNumberOfBlocks(state->index)) ||
        (block != list_id && header.insert_block != kNoBlock)) {
        raise_corrupted(state->index, block, "the page for new entries cannot be right");
    }
    check_streams(state, block, geometry);
}

// Walks the pages of a list as a search does (reader.cpp); `check_entry` is called for every entry
// in use, with state->page a copy of its page.
void check_list(CheckState* state, BlockNumber list_id, const ListGeometry& geometry, uint32 level,
                CheckEntry check_entry) {
    const bool locks_overlap = RecoveryInProgress();
    Buffer buffer = lock_page(state->index, list_id, BUFFER_LOCK_SHARE);
    for (uint32 length = 1;; ++length) {
        const BlockNumber block = BufferGetBlockNumber(buffer);
        check_page_of_list(state, buffer, list_id, geometry, level);
        const BlockNumber next = page_trailer(state->page)->next;
        const Buffer next_buffer = next == kNoBlock ? InvalidBuffer : pin_page(state->index, next);
        if (next != kNoBlock && locks_overlap) LockBuffer(next_buffer, BUFFER_LOCK_SHARE);
        UnlockReleaseBuffer(buffer);
        CHECK_FOR_INTERRUPTS();
        const ListPageView view(geometry, state->page);
        for (uint32 i = 0; i < view.entry_places(); ++i) {
            if (view.is_live(i)) check_entry(state, block, i);
        }
        if (next == kNoBlock) break;
        check_chain(state->index, list_id, length);
        if (!locks_overlap) LockBuffer(next_buffer, BUFFER_LOCK_SHARE);
        buffer = next_buffer;
    }
}

const ListGeometry& geometry_of(const CheckState* state, BlockNumber list_id) {
    const bool is_plain = list_id == state->meta.null_list || list_id == state->meta.nan_list;
    return is_plain ? state->plain : state->leaf;
}

// Of local features. The summary of the list, kept from its first page, must cover the entry;
// beside writers it may have been widened since.
int64 tag_of_entry(CheckState* state, BlockNumber list_page, uint32 index) {
    const BlockNumber list_id = page_trailer(state->page)->list_id;
    if (list_id == state->meta.null_list) return kTagOfNull;
    if (list_id == state->meta.nan_list) return kTagOfRow;
    const ListPageView view(state->leaf, state->page);
    if (list_page == list_id) memcpy(state->summary, view.summary(), state->leaf.summary_bytes);
    const AttributeKeys attributes = read_attributes(view, index);
    const EncodedEntry entry{.pointer = view.pointer(index),
                             .factors = {},
                             .code = nullptr,
                             .refine = nullptr,
                             .attributes = &attributes};
    if (state->locks_writers && !summary_covers(state->summary, entry))
        raise_corrupted(state->index, list_id, "the summary of a list does not cover its entries");
    const uint8_t* code = view.codes(index / kBlockEntries) +
                          size_t{index % kBlockEntries} * state->leaf.row_code_bytes;
    return tag_of_feature(state->leaf.attributes, code, attributes);
}

void sort_row_entry(CheckState* state, BlockNumber list_page, uint32 index) {
    const BlockNumber list_id = page_trailer(state->page)->list_id;
    const EntryPointer pointer =
        ListPageView(geometry_of(state, list_id), state->page).pointer(index);
    if (pointer.block() >= state->heap_block_count) {
        state->heap_block_count = RelationGetNumberOfBlocks(state->heap);
    }
    if (pointer.block() >= state->heap_block_count || pointer.offset == 0 ||
        pointer.offset > MaxOffsetNumber) {
        raise_corrupted(state->index, list_page, "an entry points beyond the end of the table");
    }
    const int64 place = state->meta.content == Content::kLocalFeatures
                            ? tag_of_entry(state, list_page, index)
                            : int64{list_page} << 16 | index;
    TupleTableSlot* slot = state->put_slot;
    ExecClearTuple(slot);
    slot->tts_values[0] = Int64GetDatum(int64{pointer.block()} << 16 | pointer.offset);
    slot->tts_values[1] = Int64GetDatum(place);
    memset(slot->tts_isnull, 0, 2);
    ExecStoreVirtualTuple(slot);
    tuplesort_puttupleslot(state->entries, slot);
}

void refuse_entry(CheckState* state, BlockNumber list_page, uint32) {
    raise_corrupted(state->index, list_page, "a list holds entries that its rows cannot have made");
}

// An entry of the root is the centroid of a list, encoded like a row.
void check_root_entry(CheckState* state, BlockNumber list_page, uint32 index) {
    read_stored_entry(state, list_page, state->inner, index);
    const EntryPointer pointer = state->stored.pointer;
    if (pointer.offset != 1) {
        raise_corrupted(state->index, list_page, "an entry of the root does not point at a list");
    }
    if (!is_in_tree(read_attributes(ListPageView(state->inner, state->page), index),
                    state->meta.tree_version))
        return;
    if (state->list_count == state->meta.leaf_count) {
        raise_corrupted(state->index, list_page, "the root has more lists than the meta page says");
    }
    state->lists[state->list_count++] = {pointer.block(), list_page, index};
    if (is_binary(state->meta.metric)) return;
    EntryEncoder* encoder = state->inner_encoder->get();
    const EncodedEntry expected = run_core([&] {
        read_slot_floats(state->stored.slot, state->shape.code_dims, state->vector);
        return encoder->encode({.floats = state->vector, .rounding = 0, .bits = nullptr},
                               state->zero, pointer);
    });
    if (const char* fault = entry_fault(state, state->inner, expected)) {
        raise_corrupted(state->index, list_page, fault);
    }
}

void check_root(CheckState* state) {
    state->lists = static_cast<CheckedList*>(MemoryContextAllocHuge(
        CurrentMemoryContext, sizeof(CheckedList) * Max(state->meta.leaf_count, 1u)));
    if (!is_binary(state->meta.metric)) {
        const IndexSpace* space = load_index(state->index)->space;
        state->inner_encoder = ContextOwned<EntryEncoder>::make();
        state->inner_encoder->create(state->shape, space, 1u);
    }
    check_list(state, state->meta.root_list, state->inner, 1, check_root_entry);
    if (state->list_count != state->meta.leaf_count) {
        raise_corrupted(state->index, state->meta.root_list,
                        "the root has fewer lists than the meta page says");
    }
    std::sort(state->lists, state->lists + state->list_count,
              [](const CheckedList& a, const CheckedList& b) { return a.list_id < b.list_id; });
}

void check_mean(CheckState* state) {
    BlockNumber block = state->meta.mean_block;
    size_t left = block == kNoBlock ? 0 : sizeof(float) * state->meta.dims;
    while (left > 0) {
        const Buffer buffer = reach_page(state, block, PageKind::kVector);
        left -= Min(left, size_t{kBodyBytes});
        const BlockNumber next = page_trailer(buffer_bytes(buffer))->next;
        if ((next == kNoBlock) != (left == 0)) {
            raise_corrupted(state->index, block, "the mean has another length");
        }
        UnlockReleaseBuffer(buffer);
        block = next;
    }
}

// No link leads to these: they must be free, or left behind by a crash before they were linked.
void check_unreached(CheckState* state) {
    for (BlockNumber block = 0; block < state->block_count; ++block) {
        if (state->reached[block / 8] >> (block % 8) & 1) continue;
        CHECK_FOR_INTERRUPTS();
        const Buffer buffer = lock_page(state->index, block, BUFFER_LOCK_SHARE);
        if (!PageIsNew(BufferGetPage(buffer))) {
            const PageKind kind = page_trailer(buffer_bytes(buffer))->kind;
            check_page(state->index, buffer, kind);
            if (kind <= PageKind::kMeta || kind > PageKind::kFree) {
                raise_corrupted(state->index, block, "the page is of an unknown kind");
            }
            if (kind != PageKind::kFree) ++state->leaked_pages;
        }
        UnlockReleaseBuffer(buffer);
    }
}

}  // namespace

void check_pages(CheckState* state) {
    const MetaPage& meta = state->meta;
    UnlockReleaseBuffer(reach_page(state, kMetaBlock, PageKind::kMeta));
    check_mean(state);
    check_list(state, meta.null_list, state->plain, 0, sort_row_entry);
    check_list(state, meta.nan_list, state->plain, 0,
               needs_direction(meta.metric) || meta.content == Content::kLocalFeatures
                   ? sort_row_entry
                   : refuse_entry);
    if (meta.depth == 1) {
        // The first row may have come and settled what its page looks like.
        if (meta.dims > 0 || state->locks_writers) {
            check_list(state, meta.root_list, state->leaf, 0,
                       meta.dims > 0 ? sort_row_entry : refuse_entry);
        }
    } else {
        check_root(state);
        for (uint32 i = 0; i < state->list_count; ++i)
            check_list(state, state->lists[i].list_id, state->leaf, 0, sort_row_entry);
    }
    check_unreached(state);
}

void read_stored_entry(CheckState* state, BlockNumber list_page, const ListGeometry& geometry,
                       uint32 index) {
    const ListPageView view(geometry, state->page);
    const uint32 block = index / kBlockEntries;
    const uint32 lane = index % kBlockEntries;
    StoredEntry* stored = &state->stored;
    stored->pointer = view.pointer(index);
    if (geometry.factor_bytes > 0) {
        const ScanColumns columns = view.columns(block);
        stored->factors = {columns.base[lane], columns.scale[lane], columns.error[lane]};
    }
    bool complete = true;
    if (geometry.row_code_bytes > 0) {
        const uint8_t* codes =
            codes_of_block(state->index, geometry, state->page, list_page, block, state->codes);
        complete = codes != nullptr;
        if (!complete) {
            // Told below.
        } else if (geometry.factor_bytes > 0) {
            get_code(codes, lane, stored->code, geometry.row_code_bytes * 2);
        } else {
            memcpy(stored->code, codes + size_t{lane} * geometry.row_code_bytes,
                   geometry.row_code_bytes);
        }
    }
    if (geometry.slot_bytes > 0) {
        const StreamStretch stretch = slot_stretch(geometry, state->page, list_page, index);
        complete = complete && copy_stretch(state->index, stretch, stored->slot);
    }
    if (!complete) {
        raise_corrupted(state->index, list_page, "a code or refine page belongs to another list");
    }
}

const char* entry_fault(const CheckState* state, const ListGeometry& geometry,
                        const EncodedEntry& expected) {
    const StoredEntry& stored = state->stored;
    if (memcmp(stored.code, expected.code, geometry.row_code_bytes) != 0) {
        return "the scan code of an entry is wrong";
    }
    if (geometry.factor_bytes > 0 &&
        memcmp(&stored.factors, &expected.factors, sizeof stored.factors) != 0) {
        return "the factors of an entry are wrong";
    }
    if (geometry.slot_bytes == 0) return nullptr;
    RefineSlotHeader header;
    memcpy(&header, stored.slot, sizeof header);
    if (header.pointer != expected.pointer) {
        return "the refine slot of an entry belongs to another one";
    }
    if (memcmp(stored.slot + sizeof header, expected.refine, geometry.slot_bytes - sizeof header)) {
        return "the refine code of an entry is wrong";
    }
    if (!is_intact(stored.slot, geometry.slot_bytes)) {
        return "the checksum of a refine slot is wrong";
    }
    return nullptr;
}

TupleDesc entry_row_descriptor() {
    TupleDesc descriptor = CreateTemplateTupleDesc(2);
    TupleDescInitEntry(descriptor, 1, "row", INT8OID, -1, 0);
    TupleDescInitEntry(descriptor, 2, "place", INT8OID, -1, 0);
    return descriptor;
}

}  // namespace lookalike

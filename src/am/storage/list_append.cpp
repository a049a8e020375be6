#include "am/storage/list_append.h"

#include <optional>

#include "core/page/list_summary.h"
#include "core/page/refine_slot.h"

namespace lookalike {
namespace {

// One page of a stream that an entry's bytes touch.
struct Part {
    PageKind kind;
    uint32 position;  // among the list page's code or refine pages
    uint32 offset;    // in the page's body
    size_t length;
    const uint8_t* bytes;
};

// A place for an entry: its list page, locked exclusively, and its index there.
struct Place {
    Buffer buffer;
    uint32 position;  // of the page in its chain, as far as is known
    uint32 index;
};

// What the first page of a list tells an inserter.
struct Start {
    InsertPlace place;
    uint32 whole_until;
};

// Widens the list's summary where it must be, and tells which page to try first. A scan that leaves
// the list unread meanwhile has a snapshot from before the entry's commit. Should the entry never
// come, the summary promises too much, which is allowed.
Start announce_entry(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                     const EncodedEntry& entry) {
    const Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_SHARE);
    check_list_page(index, buffer, geometry);
    const ListPageView page(geometry, buffer_bytes(buffer));
    Start start{insert_place(buffer_bytes(buffer)), whole_until(buffer_bytes(buffer))};
    if (geometry.summary_bytes > 0 && !summary_covers(page.summary(), entry)) {
        LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
        LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
        PageChange change(index);
        widen_summary(mutable_summary(geometry, change.add(buffer)), entry);
        change.finish();
    }
    UnlockReleaseBuffer(buffer);
    if (start.place.block == kNoBlock) start.place = {list_id, 0};
    return start;
}

// The hint is only a hint: it is logged alone and may be lost.
void log_insert_place(Relation index, BlockNumber list_id, InsertPlace place) {
    const Buffer buffer = ReadBuffer(index, list_id);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    PageChange change(index);
    set_insert_place(change.add(buffer), place);
    change.finish();
    UnlockReleaseBuffer(buffer);
}

// Links a new list page behind `buffer`, which is locked and stays so, and returns it locked.
Buffer extend_list(Relation index, Buffer buffer, BlockNumber list_id) {
    const Buffer added = allocate_page(index);
    PageChange change(index);
    uint8_t* page = change.add(added, true);
    make_page(page, PageKind::kList, list_id, kNoBlock);
    set_list_level(page, list_level(buffer_bytes(buffer)));
    page_trailer(change.add(buffer))->next = BufferGetBlockNumber(added);
    change.finish();
    return added;
}

// The page where the search for a place begins, locked: `hint`, or the list's first where VACUUM
// has given that page to another list meanwhile.
Buffer lock_start(Relation index, BlockNumber list_id, BlockNumber hint) {
    const Buffer buffer = lock_page(index, hint, BUFFER_LOCK_EXCLUSIVE);
    if (is_page_of_list(buffer_bytes(buffer), list_id)) return buffer;
    UnlockReleaseBuffer(buffer);
    return lock_page(index, list_id, BUFFER_LOCK_EXCLUSIVE);
}

// A free place on a page that a link of the list leads to.
std::optional<uint32_t> free_index_of(Relation index, Buffer buffer, BlockNumber list_id,
                                      const ListGeometry& geometry) {
    check_list_page(index, buffer, geometry);
    if (page_trailer(buffer_bytes(buffer))->list_id != list_id) {
        raise_corrupted(index, BufferGetBlockNumber(buffer), "the page belongs to another list");
    }
    return ListPageView(geometry, buffer_bytes(buffer)).free_index();
}

// Gives up a full page and returns the one behind it, locked: a new one at the list's end.
// `length` counts the pages up to the full one.
Buffer step_on(Relation index, Buffer buffer, BlockNumber list_id, uint32 length) {
    const BlockNumber next = page_trailer(buffer_bytes(buffer))->next;
    if (next == kNoBlock) {
        const Buffer added = extend_list(index, buffer, list_id);
        UnlockReleaseBuffer(buffer);
        return added;
    }
    const Buffer next_buffer = pin_page(index, next);
    UnlockReleaseBuffer(buffer);
    CHECK_FOR_INTERRUPTS();
    check_chain(index, list_id, length);
    LockBuffer(next_buffer, BUFFER_LOCK_EXCLUSIVE);
    return next_buffer;
}

// Makes a page the one that inserters try first. It is unlocked meanwhile, as the list's first page
// may be its predecessor, whose lock must not be waited for; what is free then is free now.
std::optional<uint32_t> remember_insert_page(Relation index, Buffer buffer, uint32 position,
                                             BlockNumber list_id, const ListGeometry& geometry) {
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    log_insert_place(index, list_id, {BufferGetBlockNumber(buffer), position});
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    if (!is_page_of_list(buffer_bytes(buffer), list_id)) return std::nullopt;
    return ListPageView(geometry, buffer_bytes(buffer)).free_index();
}

// `start` is a page of the list, or was one.
Place find_place(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                 InsertPlace start) {
    Buffer buffer = lock_start(index, list_id, start.block);
    uint32 position = BufferGetBlockNumber(buffer) == start.block ? start.position : 0;
    for (uint32 length = 1;; ++length, ++position) {
        std::optional<uint32_t> free = free_index_of(index, buffer, list_id, geometry);
        if (!free) {
            buffer = step_on(index, buffer, list_id, length);
            continue;
        }
        const BlockNumber block = BufferGetBlockNumber(buffer);
        if (block != start.block)
            free = remember_insert_page(index, buffer, position, list_id, geometry);
        if (free) return {buffer, position, *free};
        UnlockReleaseBuffer(buffer);
        return find_place(index, list_id, geometry, {block, position});
    }
}

// The stream page at `position`, locked exclusively; allocated and linked when it does not exist.
Buffer lock_stream_page(Relation index, Buffer list_buffer, const ListGeometry& geometry,
                        PageKind kind, uint32 position) {
    const uint8_t* list_page = buffer_bytes(list_buffer);
    const ListPageView view(geometry, list_page);
    const bool is_code = kind == PageKind::kCode;
    const BlockNumber linked =
        is_code ? view.code_pages()[position] : view.refine_pages()[position];
    const BlockNumber list_block = BufferGetBlockNumber(list_buffer);
    const BlockNumber list_id = page_trailer(list_page)->list_id;
    // Waiting for the lock that is held here would never end.
    if (linked == list_block) raise_corrupted(index, list_block, "the page links to itself");
    if (linked != kNoBlock) {
        const Buffer buffer = lock_page(index, linked, BUFFER_LOCK_EXCLUSIVE);
        check_page(index, buffer, kind);
        if (page_trailer(buffer_bytes(buffer))->owner != list_block) {
            raise_corrupted(index, linked, "the page belongs to another list page");
        }
        return buffer;
    }
    const Buffer buffer = allocate_page(index);
    const BlockNumber block = BufferGetBlockNumber(buffer);
    PageChange change(index);
    make_page(change.add(buffer, true), kind, list_id, list_block);
    uint8_t* image = change.add(list_buffer);
    if (is_code) {
        set_code_page(geometry, image, position, block);
    } else {
        set_refine_page(geometry, image, position, block);
    }
    change.finish();
    return buffer;
}

// Cuts a stretch of a stream at page boundaries.
int cut_into_parts(PageKind kind, const StreamPlace& place, const uint8_t* bytes, size_t length,
                   Part* parts) {
    int count = 0;
    uint32 position = place.page_index;
    uint32 offset = place.offset;
    while (length > 0) {
        const size_t part = Min(length, size_t{kBodyBytes} - offset);
        parts[count++] = {kind, position++, offset, part, bytes};
        bytes += part;
        length -= part;
        offset = 0;
    }
    return count;
}

void write_bytes(PageChange* change, Buffer buffer, const Part& part) {
    PageParts changed;
    changed.add(kPageHeaderBytes + part.offset, static_cast<uint32>(part.length));
    memcpy(page_body(change->add(buffer, changed)) + part.offset, part.bytes, part.length);
}

void write_part(Relation index, Buffer list_buffer, const ListGeometry& geometry,
                const Part& part) {
    const Buffer buffer = lock_stream_page(index, list_buffer, geometry, part.kind, part.position);
    PageChange change(index);
    write_bytes(&change, buffer, part);
    change.finish();
    UnlockReleaseBuffer(buffer);
}

// The codes of the entry's whole block with the entry's own put in: its bits are strewn over it.
uint8_t* block_codes_with(Relation index, Buffer list_buffer, const ListGeometry& geometry,
                          uint32 entry_index, const EncodedEntry& entry) {
    auto* codes = static_cast<uint8_t*>(palloc0(geometry.block_code_bytes));
    const StreamPlace place = geometry.code_place(entry_index / kBlockEntries);
    Part parts[64];
    const int count =
        cut_into_parts(PageKind::kCode, place, codes, geometry.block_code_bytes, parts);
    for (int i = 0; i < count; ++i) {
        const Buffer buffer =
            lock_stream_page(index, list_buffer, geometry, PageKind::kCode, parts[i].position);
        memcpy(const_cast<uint8_t*>(parts[i].bytes),
               page_body(buffer_bytes(buffer)) + parts[i].offset, parts[i].length);
        UnlockReleaseBuffer(buffer);
    }
    write_code(geometry, codes, entry_index, entry);
    return codes;
}

// Everything of the entry that lies outside its list page.
int parts_of(Relation index, const Place& place, const ListGeometry& geometry,
             const EncodedEntry& entry, Part* parts) {
    int count = 0;
    if (!geometry.codes_inside && geometry.row_code_bytes > 0) {
        const uint8_t* codes = block_codes_with(index, place.buffer, geometry, place.index, entry);
        count += cut_into_parts(PageKind::kCode, geometry.code_place(place.index / kBlockEntries),
                                codes, geometry.block_code_bytes, parts);
    }
    if (geometry.slot_bytes > 0) {
        auto* slot = static_cast<uint8_t*>(palloc(geometry.slot_bytes));
        write_slot(slot, entry, geometry.slot_bytes);
        count += cut_into_parts(PageKind::kRefine, geometry.slot_place(place.index), slot,
                                geometry.slot_bytes, parts + count);
    }
    return count;
}

}  // namespace

BlockNumber create_list(Relation index, uint16 level) {
    const Buffer buffer = allocate_page(index);
    const BlockNumber block = BufferGetBlockNumber(buffer);
    PageChange change(index);
    uint8_t* page = change.add(buffer, true);
    make_page(page, PageKind::kList, block, kNoBlock);
    set_list_level(page, level);
    change.finish();
    UnlockReleaseBuffer(buffer);
    return block;
}

void forget_insert_place(Relation index, BlockNumber list_id) {
    const Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_EXCLUSIVE);
    check_page(index, buffer, PageKind::kList);
    if (insert_place(buffer_bytes(buffer)).block != kNoBlock) {
        PageChange change(index);
        set_insert_place(change.add(buffer), {kNoBlock, 0});
        change.finish();
    }
    UnlockReleaseBuffer(buffer);
}

GrownList append_entry(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                       const EncodedEntry& entry) {
    const Start start = announce_entry(index, list_id, geometry, entry);
    const Place place = find_place(index, list_id, geometry, start.place);
    Part parts[128];
    int count = parts_of(index, place, geometry, entry, parts);
    // The common case is one record: the list page and the one page with the refine slot.
    while (count > 1)
        write_part(index, place.buffer, geometry, parts[--count]);
    Buffer last = InvalidBuffer;
    if (count == 1) {
        last = lock_stream_page(index, place.buffer, geometry, parts[0].kind, parts[0].position);
    }
    PageChange change(index);
    uint8_t* page = change.add(place.buffer, entry_parts(geometry, place.index));
    write_entry(geometry, page, place.index, entry);
    if (count == 1) write_bytes(&change, last, parts[0]);
    change.finish();
    if (last != InvalidBuffer) UnlockReleaseBuffer(last);
    UnlockReleaseBuffer(place.buffer);
    return {.entries = uint64{place.position} * geometry.max_entries + place.index + 1,
            .whole_until = start.whole_until};
}

}  // namespace lookalike

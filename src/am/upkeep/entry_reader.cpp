#include "am/upkeep/entry_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "am/storage/stream.h"
#include "core/page/refine_slot.h"

namespace lookalike {
namespace {

ListPageView view_of(const EntryReader& reader) {
    return {reader.shape.levels[0], reader.page};
}

// Entries whose codes are read together: the slots of a page, one that may run over pages, or the
// bits of a block.
uint32 entries_of_part(const IndexShape& shape) {
    if (is_binary(shape.metric)) return kBlockEntries;
    return std::max<uint32>(shape.levels[0].slots_per_page, 1);
}

size_t part_bytes(const IndexShape& shape) {
    const ListGeometry& geometry = shape.levels[0];
    if (is_binary(shape.metric)) return geometry.block_code_bytes;
    if (shape.refine == Refine::kNone) return row_code_bytes(shape.code_dims);
    return size_t{geometry.slot_bytes} * entries_of_part(shape);
}

}  // namespace

EntryReader* make_entry_reader(const IndexShape& shape, RowVectors* rows, MemoryContext context) {
    auto* reader = static_cast<EntryReader*>(MemoryContextAllocZero(context, sizeof(EntryReader)));
    reader->shape = shape;
    reader->rows = rows;
    reader->page = static_cast<uint8_t*>(MemoryContextAlloc(context, BLCKSZ));
    reader->part = static_cast<uint8_t*>(MemoryContextAlloc(context, part_bytes(shape)));
    return reader;
}

BlockNumber take_page(EntryReader* reader, Relation index, Buffer buffer, bool is_wanted) {
    check_list_page(index, buffer, reader->shape.levels[0]);
    const uint8_t* page = buffer_bytes(buffer);
    if (is_wanted) {
        memcpy(reader->page, page, BLCKSZ);
        reader->block = BufferGetBlockNumber(buffer);
    }
    return page_trailer(page)->next;
}

uint32 entry_places(const EntryReader& reader) {
    return view_of(reader).entry_places();
}

bool is_live(const EntryReader& reader, uint32 entry) {
    const ListPageView view = view_of(reader);
    return entry < view.entry_places() && view.is_live(entry);
}

uint32 live_count(const EntryReader& reader) {
    return view_of(reader).live_count();
}

uint32 next_live(const EntryReader& reader, uint32 entry) {
    const ListPageView view = view_of(reader);
    while (entry < view.entry_places() && !view.is_live(entry))
        ++entry;
    return entry;
}

uint32 nth_live(const EntryReader& reader, uint32 n) {
    const ListPageView view = view_of(reader);
    uint32 block = 0;
    for (uint32 count; (count = std::popcount(view.live(block))) <= n; ++block)
        n -= count;
    uint32 live = view.live(block);
    for (; n > 0; --n)
        live &= live - 1;
    return block * kBlockEntries + std::countr_zero(live);
}

EntryPart read_part(EntryReader* reader, Relation index, uint32 entry) {
    const ListGeometry& geometry = reader->shape.levels[0];
    const uint32 entries = entries_of_part(reader->shape);
    const uint32 first = entry / entries * entries;
    EntryPart part{reader->part, first, std::min(first + entries, entry_places(*reader))};
    if (is_binary(reader->shape.metric)) {
        part.codes = codes_of_block(index, geometry, reader->page, reader->block,
                                    entry / kBlockEntries, reader->part);
        return part;
    }
    if (reader->rows != nullptr) {
        const EntryPointer pointer = view_of(*reader).pointer(entry);
        if (fetch_row_vector(reader->rows, pointer, reader->part) != FetchedRow::kFound)
            part.codes = nullptr;
        return part;
    }
    StreamStretch stretch = slot_stretch(geometry, reader->page, reader->block, first);
    stretch.length = static_cast<uint32>(part_bytes(reader->shape));
    if (!copy_stretch(index, stretch, reader->part)) part.codes = nullptr;
    return part;
}

// A slot that is not whole is being given to another row, or damaged, which a search or a check
// will say.
EntryVector decode(const EntryReader& reader, const EntryPart& part, uint32 entry, float* floats) {
    const ListGeometry& geometry = reader.shape.levels[0];
    EntryVector vector{.floats = nullptr, .rounding = 0, .bits = nullptr};
    if (is_binary(reader.shape.metric)) {
        vector.bits = part.codes + size_t{entry - part.first} * geometry.row_code_bytes;
        return vector;
    }
    if (reader.rows != nullptr) {
        if (std::isfinite(row_code_header(part.codes).rounding))
            vector.floats = row_code_vector(part.codes);
        return vector;
    }
    const uint8_t* slot = part.codes + size_t{entry - part.first} * geometry.slot_bytes;
    if (is_intact(slot, geometry.slot_bytes) &&
        decode_refine(reader.shape.refine, slot + sizeof(RefineSlotHeader), reader.shape.code_dims,
                      floats)) {
        vector.floats = floats;
    }
    return vector;
}

}  // namespace lookalike

#include "am/storage/row_prefetch.h"

extern "C" {
#include "catalog/pg_am.h"
}

namespace lookalike {
namespace {

constexpr size_t kRowBytesAhead = 1024;  // beyond, the processor sees that it is read in order

// Nobody keeps the page from changing meanwhile: what is read here is good for nothing else.
const uint8_t* line_pointer(Buffer buffer, OffsetNumber offset) {
    const size_t at = SizeOfPageHeaderData + sizeof(ItemIdData) * (offset - 1u);
    return at + sizeof(ItemIdData) <= BLCKSZ ? buffer_bytes(buffer) + at : nullptr;
}

void prefetch_row(Buffer buffer, OffsetNumber offset) {
    const uint8_t* from = line_pointer(buffer, offset);
    ItemIdData item;
    memcpy(&item, from, sizeof item);
    if (item.lp_off + item.lp_len > BLCKSZ) return;
    prefetch(buffer_bytes(buffer) + item.lp_off, Min(size_t{item.lp_len}, kRowBytesAhead));
}

}  // namespace

void RowPrefetcher::expect(Relation table, EntryPointer row) {
    if (table->rd_rel->relam != HEAP_TABLE_AM_OID || row.offset == InvalidOffsetNumber) return;
    for (Expected& known : expected_) {
        if (known.row != row) continue;
        if (!known.is_complete) prefetch_row(known.buffer, row.offset);
        known.is_complete = true;
        return;
    }
    Expected& added = expected_[next_++ % kRemembered];
    const Buffer buffer = PrefetchBuffer(table, MAIN_FORKNUM, row.block()).recent_buffer;
    const bool is_shared = buffer > 0 && line_pointer(buffer, row.offset) != nullptr;
    added = {.row = row, .is_complete = !is_shared, .buffer = buffer};
    if (!is_shared) return;
    prefetch_descriptor(buffer);
    prefetch(buffer_bytes(buffer), SizeOfPageHeaderData);
    prefetch(line_pointer(buffer, row.offset), sizeof(ItemIdData));
}

}  // namespace lookalike

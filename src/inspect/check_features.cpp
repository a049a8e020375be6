// The rows of a table of local features against the entries of the index. A row has many, so of
// each the check knows no place but a tag: what list it is in and what it holds. Tags of the row's
// value and tags of its entries must be the same.
#include "am/filter/conditions.h"
#include "inspect/check.h"

extern "C" {
#include "executor/tuptable.h"
#include "utils/memutils.h"
}

#include <algorithm>

#include "am/row_entries.h"
#include "core/local/local_code.h"
#include "core/page/checksum.h"
#include "inspect/line_pointers.h"

namespace lookalike {
namespace {

struct RowTag {
    int64 row;
    int64 tag;

    bool operator==(const RowTag&) const = default;
    bool operator<(const RowTag& other) const {
        return row != other.row ? row < other.row : tag < other.tag;
    }
};

struct FeatureScan {
    CheckState* state;
    LinePointers pointers;
    bool at_end;
    RowTag next;  // of the sorted entries

    // Of one block of the table, in their order.
    BlockNumber block;
    RowTag* tags;
    uint64 count;
    uint64 room;

    MemoryContext row_context;
};

[[noreturn]] void raise_row_fault(const FeatureScan* scan, int64 row, const char* fault) {
    raise_row_fault(scan->state, row, fault);
}

void advance(FeatureScan* scan) {
    CheckState* state = scan->state;
    TupleTableSlot* slot = state->get_slot;
    scan->at_end = !tuplesort_gettupleslot(state->entries, true, false, slot, nullptr);
    if (scan->at_end) return;
    slot_getallattrs(slot);
    scan->next = {DatumGetInt64(slot->tts_values[0]), DatumGetInt64(slot->tts_values[1])};
    if (state->locks_writers && !may_have_entry(&scan->pointers, scan->next.row))
        raise_row_fault(scan, scan->next.row, "An entry points at a row that does not exist");
}

void add_tag(FeatureScan* scan, const RowTag& tag) {
    if (scan->count == scan->room) {
        scan->room *= 2;
        scan->tags = static_cast<RowTag*>(repalloc_huge(scan->tags, sizeof(RowTag) * scan->room));
    }
    scan->tags[scan->count++] = tag;
}

// Collects the entries of a block of the table; those of blocks before it have no live row.
void collect_tags(FeatureScan* scan, BlockNumber block) {
    scan->block = block;
    scan->count = 0;
    while (!scan->at_end && static_cast<BlockNumber>(scan->next.row >> 16) <= block) {
        CHECK_FOR_INTERRUPTS();
        if (static_cast<BlockNumber>(scan->next.row >> 16) == block) add_tag(scan, scan->next);
        advance(scan);
    }
}

int64 tag_of(const CheckState* state, const RowEntry& entry, const AttributeKeys& attributes) {
    if (entry.list_class == ListClass::kNull) return kTagOfNull;
    if (entry.list_class == ListClass::kRow) return kTagOfRow;
    return tag_of_feature(state->leaf.attributes, entry.vector.bits(), attributes);
}

// Called for every row that the snapshot sees, with the place that an index knows it by.
void check_row(Relation, ItemPointer pointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<FeatureScan*>(argument);
    CheckState* state = scan->state;
    const BlockNumber block = ItemPointerGetBlockNumber(pointer);
    const int64 row = int64{block} << 16 | ItemPointerGetOffsetNumber(pointer);
    if (scan->block != block) collect_tags(scan, block);
    const MemoryContext previous = MemoryContextSwitchTo(scan->row_context);
    const RowEntries entries = read_row(state->index, *load_index(state->index), values, is_null);
    const AttributeKeys attributes =
        attribute_keys(state->index, state->leaf.attributes, values, is_null);
    auto* expected = static_cast<RowTag*>(palloc(sizeof(RowTag) * entries.count));
    RowTag* end = expected;
    for (const RowEntry& entry : entries)
        *end++ = {row, tag_of(state, entry, attributes)};
    std::sort(expected, end);
    const auto [first, last] =
        std::equal_range(scan->tags, scan->tags + scan->count, RowTag{row, 0},
                         [](const RowTag& a, const RowTag& b) { return a.row < b.row; });
    if (first == last) raise_row_fault(scan, row, "It has no entry");
    if (!std::equal(first, last, expected, end))
        raise_row_fault(scan, row, "Its entries are not those of its local features");
    MemoryContextSwitchTo(previous);
    MemoryContextReset(scan->row_context);
}

FeatureScan* start_feature_scan(CheckState* state) {
    constexpr uint64 kFirstRoom = 1024;
    auto* scan = static_cast<FeatureScan*>(palloc0(sizeof(FeatureScan)));
    scan->state = state;
    start_line_pointers(&scan->pointers, state->heap);
    scan->block = InvalidBlockNumber;
    scan->room = kFirstRoom;
    scan->tags = static_cast<RowTag*>(palloc(sizeof(RowTag) * scan->room));
    scan->row_context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss check row", ALLOCSET_DEFAULT_SIZES);
    return scan;
}

}  // namespace

int64 tag_of_feature(const AttributeWidths& widths, const uint8_t* code,
                     const AttributeKeys& attributes) {
    uint64_t sum = checksum(code, kLocalCodeBytes);
    for (uint32 i = 0; i < widths.count; ++i) {
        const bool is_null = (attributes.nulls >> i & 1) != 0;
        const uint64_t key = is_null ? 0 : attributes.keys[i];
        sum = checksum(&key, sizeof key, sum + is_null);
    }
    constexpr int kBitsOfOthers = 2;
    return static_cast<int64>(sum >> kBitsOfOthers) + kTagOfRow + 1;
}

void check_features(CheckState* state) {
    tuplesort_performsort(state->entries);
    FeatureScan* scan = start_feature_scan(state);
    advance(scan);
    visit_rows(state, check_row, scan);
    while (!scan->at_end) {
        CHECK_FOR_INTERRUPTS();
        advance(scan);
    }
    tuplesort_end(state->entries);
}

}  // namespace lookalike

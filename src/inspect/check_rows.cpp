// The rows of a table of descriptors against the entries of the index, one of each. Both come in
// the order of the table's blocks: the table as it lies, the entries sorted.
#include "am/filter/conditions.h"
#include "inspect/check.h"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <cstring>

#include "am/row_entries.h"
#include "core/page/list_summary.h"
#include "inspect/line_pointers.h"

namespace lookalike {
namespace {

constexpr int64 kNoEntry = -1;
constexpr int64 kTwoEntries = -2;

struct RowScan {
    CheckState* state;
    LinePointers pointers;

    // The next entry in the order of rows.
    bool at_end;
    int64 row;
    int64 place;

    // Of one block of the table.
    BlockNumber block;
    int64 places[MaxOffsetNumber + 1];  // of the entries, by offset, or one of the above

    MemoryContext row_context;
    const IndexSpace* space;  // that the encoder was made for
    EntryEncoder* encoder;
    float* centroid;
    uint8_t* centroid_slot;
    float* scratch;
};

[[noreturn]] void raise_row_fault(const RowScan* scan, int64 row, const char* fault) {
    raise_row_fault(scan->state, row, fault);
}

// Beside writers the row may have gone, with the entry, since that was read.
void check_points_at_row(RowScan* scan) {
    if (scan->state->locks_writers && !may_have_entry(&scan->pointers, scan->row))
        raise_row_fault(scan, scan->row, "An entry points at a row that does not exist");
}

[[noreturn]] void raise_two_entries(const RowScan* scan, int64 row) {
    raise_row_fault(scan, row, "Two entries point at it");
}

void advance(RowScan* scan) {
    TupleTableSlot* slot = scan->state->get_slot;
    const int64 previous = scan->row;
    scan->at_end = !tuplesort_gettupleslot(scan->state->entries, true, false, slot, nullptr);
    if (scan->at_end) return;
    slot_getallattrs(slot);
    scan->row = DatumGetInt64(slot->tts_values[0]);
    scan->place = DatumGetInt64(slot->tts_values[1]);
    // Beside writers the one may have gone with a row before the other came.
    if (scan->row == previous && scan->state->locks_writers) raise_two_entries(scan, scan->row);
    check_points_at_row(scan);
}

// Collects the entries of a block of the table; those of blocks before it have no live row.
void collect_entries(RowScan* scan, BlockNumber block) {
    memset(scan->places, 0xff, sizeof scan->places);  // kNoEntry
    scan->block = block;
    while (!scan->at_end && static_cast<BlockNumber>(scan->row >> 16) <= block) {
        CHECK_FOR_INTERRUPTS();
        if (static_cast<BlockNumber>(scan->row >> 16) == block) {
            int64* place = &scan->places[scan->row & 0xffff];
            *place = *place == kNoEntry ? scan->place : kTwoEntries;
        }
        advance(scan);
    }
}

void copy_list_page(CheckState* state, BlockNumber block) {
    const Buffer buffer = lock_page(state->index, block, BUFFER_LOCK_SHARE);
    memcpy(state->page, buffer_bytes(buffer), BLCKSZ);
    UnlockReleaseBuffer(buffer);
}

// The centroid of a list, from its entry in the root; zeros where the root is the only list. Leaves
// a page of the root in state->page.
void read_centroid(RowScan* scan, BlockNumber list_id) {
    CheckState* state = scan->state;
    if (state->meta.depth == 1) return;
    const CheckedList* list = std::lower_bound(
        state->lists, state->lists + state->list_count, list_id,
        [](const CheckedList& entry, BlockNumber wanted) { return entry.list_id < wanted; });
    copy_list_page(state, list->root_page);
    read_centroid_floats(*state, list->root_page, list->root_index, scan->centroid_slot,
                         scan->centroid);
}

// The table's expressions may use other indexes and drive this one's space out of the cache, so
// the encoder follows it.
void make_encoder(RowScan* scan) {
    const IndexSpace* space = load_index(scan->state->index)->space;
    if (scan->encoder != nullptr && scan->space == space) return;
    const MemoryContext previous = MemoryContextSwitchTo(GetMemoryChunkContext(scan));
    scan->space = space;
    scan->encoder = ContextOwned<EntryEncoder>::make()->create(scan->state->shape, space, 0u);
    MemoryContextSwitchTo(previous);
}

// Encodes the value as the build and INSERT do.
EncodedEntry encode_entry(RowScan* scan, const RowEntry& entry, EntryPointer pointer) {
    make_encoder(scan);
    const EntryVector vector =
        to_index_space(scan->space, entry, scan->scratch, scan->state->vector);
    return run_core([&] { return scan->encoder->encode(vector, scan->centroid, pointer); });
}

// The same as a split does, which has no more of the row than its refine code.
EncodedEntry encode_moved_entry(RowScan* scan, const EncodedEntry& entry) {
    const CheckState* state = scan->state;
    return run_core([&] {
        return scan->encoder->encode_again(entry.refine, state->vector, scan->centroid,
                                           entry.pointer);
    });
}

// The filter attributes of a row against those of its entry, whose page has been copied.
void check_attributes(RowScan* scan, int64 row, BlockNumber list_page, uint32 index,
                      const AttributeKeys& expected) {
    const CheckState* state = scan->state;
    const AttributeKeys stored = read_attributes(ListPageView(state->leaf, state->page), index);
    if (expected.nulls != stored.nulls ||
        memcmp(expected.keys, stored.keys, sizeof stored.keys) != 0) {
        raise_row_fault(
            scan, row,
            psprintf("In list page %u, the filter attributes of an entry are wrong", list_page));
    }
}

// The value of a row that has a distance against its entry and what its list's summary promises.
void check_value(RowScan* scan, int64 row, const RowEntry& entry, BlockNumber list_page,
                 uint32 index, const AttributeKeys& attributes) {
    CheckState* state = scan->state;
    const BlockNumber list_id = page_trailer(state->page)->list_id;
    if (list_id == state->meta.null_list || list_id == state->meta.nan_list) {
        raise_row_fault(scan, row, "Its entry is in a list of rows without a distance");
    }
    read_stored_entry(state, list_page, state->leaf, index);
    read_centroid(scan, list_id);
    EncodedEntry expected = encode_entry(scan, entry, state->stored.pointer);
    const char* fault = entry_fault(state, state->leaf, expected);
    if (fault != nullptr && state->leaf.slot_bytes > 0) {
        expected = encode_moved_entry(scan, expected);
        if (entry_fault(state, state->leaf, expected) == nullptr) fault = nullptr;
    }
    if (fault != nullptr)
        raise_row_fault(scan, row, psprintf("In list page %u, %s", list_page, fault));
    expected.attributes = &attributes;
    copy_list_page(state, list_id);
    if (!summary_covers(ListPageView(state->leaf, state->page).summary(), expected)) {
        raise_row_fault(scan, row,
                        psprintf("The summary of list %u does not cover its entry", list_id));
    }
}

void check_row_value(RowScan* scan, int64 row, int64 place, const Datum* values,
                     const bool* nulls) {
    CheckState* state = scan->state;
    const RowEntry entry =
        *read_row(state->index, *load_index(state->index), values, nulls).begin();
    const auto list_page = static_cast<BlockNumber>(place >> 16);
    copy_list_page(state, list_page);
    const BlockNumber list_id = page_trailer(state->page)->list_id;
    if (entry.list_class == ListClass::kNull) {
        if (list_id != state->meta.null_list) {
            raise_row_fault(scan, row, "It has no descriptor, and its entry says that it has");
        }
        return;
    }
    if (entry.list_class == ListClass::kNoDirection) {
        if (list_id != state->meta.nan_list) {
            raise_row_fault(scan, row, "It has no direction, and its entry says that it has");
        }
        return;
    }
    const auto index = static_cast<uint32>(place & 0xffff);
    const AttributeKeys attributes =
        attribute_keys(state->index, state->leaf.attributes, values, nulls);
    // Before the value, whose centroid takes the place of the page's copy.
    if (list_id != state->meta.null_list && list_id != state->meta.nan_list) {
        check_attributes(scan, row, list_page, index, attributes);
    }
    check_value(scan, row, entry, list_page, index, attributes);
}

// Called for every row that the snapshot sees, with the place that an index knows it by.
void check_row(Relation, ItemPointer pointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<RowScan*>(argument);
    const BlockNumber block = ItemPointerGetBlockNumber(pointer);
    const OffsetNumber offset = ItemPointerGetOffsetNumber(pointer);
    const int64 row = int64{block} << 16 | offset;
    if (scan->block != block) collect_entries(scan, block);
    const int64 place = offset > MaxOffsetNumber ? kNoEntry : scan->places[offset];
    if (place == kNoEntry) raise_row_fault(scan, row, "It has no entry");
    if (place == kTwoEntries) raise_two_entries(scan, row);
    const MemoryContext previous = MemoryContextSwitchTo(scan->row_context);
    check_row_value(scan, row, place, values, is_null);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(scan->row_context);
}

RowScan* start_row_scan(CheckState* state) {
    auto* scan = static_cast<RowScan*>(palloc0(sizeof(RowScan)));
    scan->state = state;
    start_line_pointers(&scan->pointers, state->heap);
    scan->row = -1;
    scan->block = InvalidBlockNumber;
    scan->row_context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss check row", ALLOCSET_DEFAULT_SIZES);
    scan->centroid = static_cast<float*>(palloc0(sizeof(float) * (state->shape.code_dims + 1)));
    scan->centroid_slot = static_cast<uint8_t*>(palloc(state->inner.slot_bytes + 1));
    scan->scratch = static_cast<float*>(palloc(sizeof(float) * (state->shape.dims + 1)));
    return scan;
}

}  // namespace

void raise_row_fault(const CheckState* state, int64 row, const char* fault) {
    ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                    errmsg("index \"%s\" does not match row (%u,%u) of table \"%s\"",
                           RelationGetRelationName(state->index), static_cast<uint32>(row >> 16),
                           static_cast<uint32>(row & 0xffff), RelationGetRelationName(state->heap)),
                    errdetail("%s.", fault), errhint("REINDEX it.")));
    pg_unreachable();
}

void visit_rows(CheckState* state, IndexBuildCallback visit, void* argument) {
    const TableScanDesc table =
        table_beginscan_strat(state->heap, state->snapshot, 0, nullptr, true, false);
    IndexInfo* info = BuildIndexInfo(state->index);
    info->ii_Concurrent = true;  // as the snapshot says, not by the rows' own state
    table_index_build_scan(state->heap, state->index, info, true, false, visit, argument, table);
}

void check_rows(CheckState* state) {
    tuplesort_performsort(state->entries);
    RowScan* scan = start_row_scan(state);
    advance(scan);
    visit_rows(state, check_row, scan);
    while (!scan->at_end) {
        CHECK_FOR_INTERRUPTS();
        advance(scan);
    }
    tuplesort_end(state->entries);
}

}  // namespace lookalike

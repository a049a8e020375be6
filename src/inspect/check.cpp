// faiss_index_check: every page of an index, and every entry against the table.
//
// With a ShareLock on the table and on the index, as amcheck's bt_index_parent_check, nobody writes
// and no VACUUM runs, so that everything must fit together exactly. Reading goes on.
//
// With an AccessShareLock, as bt_index_check, and so on a standby, too, it walks like a search,
// sees what is true of every page while that is locked, and holds the rows of a snapshot that is
// older than the walk against their entries, which stay where they are (docs/INDEX_FORMAT.md).
//
// Faults are what a crash cannot leave behind. Pages that were allocated and never linked are not:
// they are counted at DEBUG1.
#include "inspect/check.h"

extern "C" {
#include "catalog/pg_operator_d.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

#include "inspect/rights.h"

using namespace lookalike;

namespace {

CheckState* make_state(const InspectedIndex& inspected, bool locks_writers) {
    auto* state = static_cast<CheckState*>(palloc0(sizeof(CheckState)));
    state->locks_writers = locks_writers;
    // What the newest snapshot sees has its entries by now. That no transaction of long ago counts
    // is why it need not care for broken HOT chains.
    state->snapshot = RegisterSnapshot(GetLatestSnapshot());
    state->heap = inspected.heap;
    state->index = inspected.index;
    state->block_count = RelationGetNumberOfBlocks(inspected.index);
    state->heap_block_count = RelationGetNumberOfBlocks(inspected.heap);
    if (state->block_count == 0) raise_corrupted(inspected.index, kMetaBlock, "the file is empty");
    start_reading(state);
    state->plain = plain_list_geometry();
    return state;
}

void allocate_scratch(CheckState* state) {
    const ListGeometry& leaf = state->leaf;
    const size_t slot_bytes = std::max(leaf.slot_bytes, state->inner.slot_bytes);
    state->reached = static_cast<uint8_t*>(palloc0(state->block_count / 8 + 1));
    state->stored.code = static_cast<uint8_t*>(palloc(leaf.row_code_bytes + 1));
    state->stored.slot = static_cast<uint8_t*>(palloc(slot_bytes + 1));
    state->zero = static_cast<float*>(palloc0(sizeof(float) * (state->shape.code_dims + 1)));
    state->vector = static_cast<float*>(palloc(sizeof(float) * (state->shape.code_dims + 1)));
}

void start_sort(CheckState* state) {
    TupleDesc descriptor = entry_row_descriptor();
    AttrNumber columns[] = {1, 2};
    Oid operators[] = {Int8LessOperator, Int8LessOperator};
    Oid collations[] = {InvalidOid, InvalidOid};
    bool nulls_first[] = {false, false};
    state->entries = tuplesort_begin_heap(descriptor, 2, columns, operators, collations,
                                          nulls_first, maintenance_work_mem, nullptr, 0);
    state->put_slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
    state->get_slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
}

void check_index(const InspectedIndex& inspected, bool locks_writers) {
    CheckState* state = make_state(inspected, locks_writers);
    allocate_scratch(state);
    start_sort(state);
    check_pages(state);
    if (state->meta.content == Content::kLocalFeatures) {
        check_features(state);
    } else {
        check_rows(state);
    }
    if (locks_writers)
        ereport(DEBUG1,
                (errmsg_internal("index \"%s\" has %u pages, " UINT64_FORMAT " of them leaked",
                                 RelationGetRelationName(state->index), state->block_count,
                                 state->leaked_pages)));
    UnregisterSnapshot(state->snapshot);
    ExecDropSingleTupleTableSlot(state->put_slot);
    ExecDropSingleTupleTableSlot(state->get_slot);
}

}  // namespace

SQL_FUNCTION(faiss_index_check) {
    const bool locks_writers = PG_GETARG_BOOL(1);
    const InspectedIndex inspected = open_inspected(
        PG_GETARG_OID(0), locks_writers ? ShareLock : AccessShareLock, InspectRight::kMaintain);
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss check", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    check_index(inspected, locks_writers);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    close_inspected(inspected);
    PG_RETURN_VOID();
}

// faiss_index_check: every page of an index, and every entry against the table.
//
// It takes a ShareLock on the table and on the index, as amcheck does where it wants to be certain:
// nobody writes and no VACUUM runs, so that everything must fit together exactly. Reading goes on.
// A standby cannot take this lock: check the primary, or a promoted copy.
//
// Faults are what a crash cannot leave behind. Pages that were allocated and never linked are not:
// they are counted at DEBUG1.
#include "inspect/check.h"

extern "C" {
#include "catalog/pg_operator_d.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
}

#include <algorithm>

#include "inspect/rights.h"

using namespace lookalike;

namespace {

CheckState* make_state(const InspectedIndex& inspected) {
    auto* state = static_cast<CheckState*>(palloc0(sizeof(CheckState)));
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

void check_index(const InspectedIndex& inspected) {
    CheckState* state = make_state(inspected);
    allocate_scratch(state);
    start_sort(state);
    check_pages(state);
    check_rows(state);
    ereport(DEBUG1, (errmsg_internal("index \"%s\" has %u pages, " UINT64_FORMAT " of them leaked",
                                     RelationGetRelationName(state->index), state->block_count,
                                     state->leaked_pages)));
    ExecDropSingleTupleTableSlot(state->put_slot);
    ExecDropSingleTupleTableSlot(state->get_slot);
}

}  // namespace

SQL_FUNCTION(faiss_index_check) {
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), ShareLock, InspectRight::kMaintain);
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss check", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    check_index(inspected);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    close_inspected(inspected);
    PG_RETURN_VOID();
}

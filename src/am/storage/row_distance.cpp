#include "am/storage/row_distance.h"

extern "C" {
#include "access/relscan.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

void begin_measuring(RowDistance* measure, IndexScanDesc scan) {
    measure->context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss row distance", ALLOCSET_SMALL_SIZES);
    measure->columns = BuildIndexInfo(scan->indexRelation);
    measure->state = CreateExecutorState();
    measure->slot = table_slot_create(scan->heapRelation, nullptr);
    GetPerTupleExprContext(measure->state)->ecxt_scantuple = measure->slot;
}

// With what the executor fetches rows with: it will want this one next.
bool fetch_row(const RowDistance* measure, IndexScanDesc scan, EntryPointer row) {
    ItemPointerData place;
    ItemPointerSet(&place, row.block(), row.offset);
    bool call_again = false;
    bool all_dead = false;
    return table_index_fetch_tuple(scan->xs_heapfetch, &place, scan->xs_snapshot, measure->slot,
                                   &call_again, &all_dead);
}

}  // namespace

void check_pointer(IndexScanDesc scan, EntryPointer pointer, BlockNumber* table_blocks) {
    if (pointer.block() >= *table_blocks)
        *table_blocks = RelationGetNumberOfBlocks(scan->heapRelation);
    if (pointer.block() < *table_blocks && pointer.offset != InvalidOffsetNumber) return;
    ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                    errmsg("index \"%s\" holds an entry that points beyond its table",
                           RelationGetRelationName(scan->indexRelation)),
                    errhint("REINDEX it.")));
}

bool measure_row(RowDistance* measure, IndexScanDesc scan, EntryPointer row, double* distance) {
    check_pointer(scan, row, &measure->table_blocks);
    if (measure->slot == nullptr) begin_measuring(measure, scan);
    bool found = fetch_row(measure, scan, row);
    if (found) {
        const MemoryContext previous = MemoryContextSwitchTo(measure->context);
        Datum values[INDEX_MAX_KEYS];
        bool is_null[INDEX_MAX_KEYS];
        FormIndexDatum(measure->columns, measure->slot, measure->state, values, is_null);
        // A row whose column is NULL is in no list of distances.
        found = !is_null[0];
        if (found) {
            // A rescan overwrites the scan key, and what the function keeps with it.
            FmgrInfo function;
            fmgr_info_copy(&function, const_cast<FmgrInfo*>(measure->function), measure->context);
            *distance = DatumGetFloat8(
                FunctionCall2Coll(&function, measure->collation, values[0], measure->query));
        }
        MemoryContextSwitchTo(previous);
        MemoryContextReset(measure->context);
        ResetPerTupleExprContext(measure->state);
        ExecClearTuple(measure->slot);
    }
    return found;
}

void end_measuring(RowDistance* measure) {
    if (measure->slot == nullptr) return;
    ExecDropSingleTupleTableSlot(measure->slot);
    FreeExecutorState(measure->state);
    MemoryContextDelete(measure->context);
    *measure = {};
}

}  // namespace lookalike

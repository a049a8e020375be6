#include "am/upkeep/row_vectors.h"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

#include "am/row_entries.h"
#include "pg/run_core.h"

namespace lookalike {

struct RowVectors {
    MetaPage meta;
    const IndexSpace* space;
    AttrNumber column;
    Snapshot kept;  // from which on nobody takes away what was deleted
    SnapshotData not_dead;
    IndexFetchTableData* fetch;
    TupleTableSlot* slot;
    MemoryContext context;  // of one row
    float* scratch;
    bool met_uncertain;
};

namespace {

constexpr uint32 kDescriptorColumn = 0;

// Of a tuple that is not dead. What VACUUM or an access to TOAST may take away while it is read is
// not read: an ERROR in somebody's INSERT would come of it.
FetchedRow is_toast_kept(const RowVectors* rows) {
    const auto* slot = reinterpret_cast<const BufferHeapTupleTableSlot*>(rows->slot);
    const HeapTupleHeader tuple = slot->base.tuple->t_data;
    const TransactionId inserter = HeapTupleHeaderGetXmin(tuple);
    if (!HeapTupleHeaderXminCommitted(tuple) && !TransactionIdIsCurrentTransactionId(inserter) &&
        TransactionIdIsInProgress(inserter))
        return FetchedRow::kUncertain;
    if ((tuple->t_infomask & HEAP_XMAX_INVALID) || HEAP_XMAX_IS_LOCKED_ONLY(tuple->t_infomask))
        return FetchedRow::kFound;
    const TransactionId deleter = HeapTupleHeaderGetUpdateXid(tuple);
    const bool is_kept = !TransactionIdIsValid(deleter) ||
                         TransactionIdFollowsOrEquals(deleter, rows->kept->xmin) ||
                         !TransactionIdDidCommit(deleter);
    return is_kept ? FetchedRow::kFound : FetchedRow::kGone;
}

FetchedRow read_slot(RowVectors* rows, uint8_t* code) {
    bool is_null;
    const Datum value = slot_getattr(rows->slot, rows->column, &is_null);
    if (is_null) return FetchedRow::kGone;
    if (VARATT_IS_EXTERNAL(DatumGetPointer(value))) {
        const FetchedRow kept = is_toast_kept(rows);
        if (kept != FetchedRow::kFound) return kept;
    }
    const RowEntries entries = read_row_to_build(rows->meta, &value, &is_null);
    const RowEntry& entry = *entries.begin();
    if (entry.list_class != ListClass::kLeaf) return FetchedRow::kGone;
    const EntryVector vector =
        to_index_space(rows->space, entry, rows->scratch, row_code_vector(code));
    row_code_header(code) = {.rounding = round_up(vector.rounding), .besides = 0};
    return FetchedRow::kFound;
}

}  // namespace

bool can_fetch_rows(Relation table, Relation index) {
    return table != nullptr && table->rd_tableam == GetHeapamTableAmRoutine() &&
           index->rd_index->indkey.values[kDescriptorColumn] > 0;
}

RowVectors* begin_row_vectors(Relation table, Relation index, const LoadedIndex& loaded) {
    auto* rows = static_cast<RowVectors*>(palloc0(sizeof(RowVectors)));
    rows->meta = loaded.meta;
    rows->space = loaded.space;
    rows->column = index->rd_index->indkey.values[kDescriptorColumn];
    rows->kept = RegisterSnapshot(GetLatestSnapshot());
    InitNonVacuumableSnapshot(rows->not_dead, GlobalVisTestFor(table));
    rows->fetch = table_index_fetch_begin(table);
    rows->slot = table_slot_create(table, nullptr);
    rows->context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss row", ALLOCSET_DEFAULT_SIZES);
    rows->scratch = static_cast<float*>(palloc(sizeof(float) * loaded.shape.dims));
    return rows;
}

// An entry points at the first of a chain of versions, which have the same value in the index: but
// for older ones than the index, which come before. So the last counts that may still be seen.
FetchedRow fetch_row_vector(RowVectors* rows, EntryPointer pointer, uint8_t* code) {
    ItemPointerData place;
    ItemPointerSet(&place, pointer.block(), pointer.offset);
    FetchedRow fetched = FetchedRow::kGone;
    const MemoryContext previous = MemoryContextSwitchTo(rows->context);
    bool call_again = false;
    do {
        bool all_dead = false;
        if (!table_index_fetch_tuple(rows->fetch, &place, &rows->not_dead, rows->slot, &call_again,
                                     &all_dead))
            break;
        fetched = read_slot(rows, code);
    } while (call_again);
    ExecClearTuple(rows->slot);
    table_index_fetch_reset(rows->fetch);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(rows->context);
    rows->met_uncertain |= fetched == FetchedRow::kUncertain;
    return fetched;
}

bool met_uncertain_row(const RowVectors* rows) {
    return rows->met_uncertain;
}

void end_row_vectors(RowVectors* rows) {
    table_index_fetch_end(rows->fetch);
    ExecDropSingleTupleTableSlot(rows->slot);
    UnregisterSnapshot(rows->kept);
    MemoryContextDelete(rows->context);
    pfree(rows);
}

}  // namespace lookalike

// faiss_index_calibrate: an index measures itself anew, without a rebuild.
//
// Its entries tell the rows (am/upkeep/measuring.h), unless it has no refine codes. Then entries
// say in which list a row is, and the table says what its descriptor is: both are read, the entries
// sorted by row. What a snapshot taken before the entries are read can see has its entry among
// them; VACUUM is locked out, so that no page leaves its list meanwhile.
#include "inspect/page_reader.h"

extern "C" {
#include "access/tableam.h"
#include "access/tupdesc.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

#include <algorithm>
#include <cstring>
#include <random>

#include "am/build/plan.h"
#include "am/row_entries.h"
#include "am/upkeep/measuring.h"
#include "am/upkeep/remeasure.h"
#include "core/page/meta_page.h"
#include "pg/run_core.h"

using namespace lookalike;

namespace {

constexpr uint64 kSampleSeed = 20150602;
constexpr int32 kNoList = -1;
constexpr uint64 kDistancesOfStretch = 1'000'000;

// Lives in one memory context. Of maintenance_work_mem the sort, the centroids, the rows that
// become queries and the queries take a quarter each.
struct CalibrateState : IndexPages {
    Snapshot snapshot;

    TreeLists lists;

    // Row (block << 16 | offset) and list of every entry.
    Tuplesortstate* entries;
    uint64 entry_count;
    TupleTableSlot* put_slot;
    TupleTableSlot* get_slot;

    // The entries of the block of the table that is being read.
    bool at_end;
    int64 next_row;
    int32 next_list;
    BlockNumber block;
    int32 list_at[MaxOffsetNumber + 1];  // by offset, or kNoList

    // Rows of the table that are the queries.
    std::mt19937_64* random;
    uint64 wanted_queries;
    uint64 query_count;
    uint64 row_count;
    float* queries;  // dims each, as SQL has them; binary metrics: -1 and 1

    Calibrator* calibrator;
    MemoryContext row_context;
    float* scratch;  // dims
    float* vector;   // code_dims
};

// Entries
// ------------------------------------------------------------------------------------------

void sort_entry(CalibrateState* state, uint32 index, uint32 list) {
    const EntryPointer pointer = ListPageView(state->leaf, state->page).pointer(index);
    TupleTableSlot* slot = state->put_slot;
    ExecClearTuple(slot);
    slot->tts_values[0] = Int64GetDatum(int64{pointer.block()} << 16 | pointer.offset);
    slot->tts_values[1] = Int32GetDatum(static_cast<int32>(list));
    memset(slot->tts_isnull, 0, 2);
    ExecStoreVirtualTuple(slot);
    tuplesort_puttupleslot(state->entries, slot);
    ++state->entry_count;
}

// Of every entry in use.
void sort_list(CalibrateState* state, uint32 list) {
    const BlockNumber list_id = state->lists.lists[list];
    BlockNumber block = list_id;
    for (uint32 length = 1; block != kNoBlock; ++length) {
        CHECK_FOR_INTERRUPTS();
        check_chain(state->index, list_id, length);
        const BlockNumber next =
            copy_page_of_list(state->index, block, list_id, state->leaf, state->page);
        const ListPageView view(state->leaf, state->page);
        for (uint32 i = 0; i < view.entry_places(); ++i) {
            if (view.is_live(i)) sort_entry(state, i, list);
        }
        block = next;
    }
}

void start_sort(CalibrateState* state) {
    TupleDesc descriptor = CreateTemplateTupleDesc(2);
    TupleDescInitEntry(descriptor, 1, "row", INT8OID, -1, 0);
    TupleDescInitEntry(descriptor, 2, "list", INT4OID, -1, 0);
    AttrNumber columns[] = {1};
    Oid operators[] = {Int8LessOperator};
    Oid collations[] = {InvalidOid};
    bool nulls_first[] = {false};
    state->entries =
        tuplesort_begin_heap(descriptor, 1, columns, operators, collations, nulls_first,
                             maintenance_work_mem / 4, nullptr, TUPLESORT_RANDOMACCESS);
    state->put_slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
    state->get_slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
}

void read_lists(CalibrateState* state) {
    state->lists = read_tree_lists(state->index, *load_index(state->index));
    start_sort(state);
    for (uint32 list = 0; list < state->lists.count; ++list)
        sort_list(state, list);
    tuplesort_performsort(state->entries);
}

// Rows
// ---------------------------------------------------------------------------------------------

void next_entry(CalibrateState* state) {
    TupleTableSlot* slot = state->get_slot;
    state->at_end = !tuplesort_gettupleslot(state->entries, true, false, slot, nullptr);
    if (state->at_end) return;
    slot_getallattrs(slot);
    state->next_row = DatumGetInt64(slot->tts_values[0]);
    state->next_list = DatumGetInt32(slot->tts_values[1]);
}

// Collects the lists of a block of the table; entries of blocks before it have no row to be seen.
void collect_lists(CalibrateState* state, BlockNumber block) {
    memset(state->list_at, 0xff, sizeof state->list_at);  // kNoList
    state->block = block;
    while (!state->at_end && static_cast<BlockNumber>(state->next_row >> 16) <= block) {
        CHECK_FOR_INTERRUPTS();
        const auto offset = static_cast<uint32>(state->next_row & 0xffff);
        if (static_cast<BlockNumber>(state->next_row >> 16) == block && offset <= MaxOffsetNumber) {
            state->list_at[offset] = state->next_list;
        }
        next_entry(state);
    }
}

// The list of a row, or kNoList: NULL, without direction, or newer than the entries that were read.
int32 list_of(CalibrateState* state, ItemPointer row) {
    const BlockNumber block = ItemPointerGetBlockNumber(row);
    const OffsetNumber offset = ItemPointerGetOffsetNumber(row);
    if (state->block != block) collect_lists(state, block);
    return offset > MaxOffsetNumber ? kNoList : state->list_at[offset];
}

RowEntry entry_of(CalibrateState* state, const Datum* values, const bool* is_null) {
    return *read_row(state->index, *load_index(state->index), values, is_null).begin();
}

void sample_row(Relation, ItemPointer row, Datum* values, bool* is_null, bool, void* argument) {
    auto* state = static_cast<CalibrateState*>(argument);
    if (!has_value(is_null) || list_of(state, row) == kNoList) return;
    ++state->row_count;
    uint64 place = state->query_count;
    if (place < state->wanted_queries) {
        ++state->query_count;
    } else {
        place = (*state->random)() % state->row_count;
        if (place >= state->wanted_queries) return;
    }
    const MemoryContext previous = MemoryContextSwitchTo(state->row_context);
    copy_elements(entry_of(state, values, is_null), state->queries + place * state->shape.dims);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(state->row_context);
}

void observe_row(Relation, ItemPointer row, Datum* values, bool* is_null, bool, void* argument) {
    auto* state = static_cast<CalibrateState*>(argument);
    if (!has_value(is_null)) return;
    const int32 list = list_of(state, row);
    if (list == kNoList) return;
    const MemoryContext previous = MemoryContextSwitchTo(state->row_context);
    const RowEntry entry = entry_of(state, values, is_null);
    // Not kept: the table's expressions may drive it out of the cache.
    const IndexSpace* space = load_index(state->index)->space;
    const EntryVector vector = to_index_space(space, entry, state->scratch, state->vector);
    const Calibrator::Row observed{{vector.floats, vector.bits}, static_cast<uint32_t>(list)};
    run_core([&] { state->calibrator->observe({&observed, 1}); });
    MemoryContextSwitchTo(previous);
    MemoryContextReset(state->row_context);
}

// Reads the table from its first block on, beside the entries.
void read_table(CalibrateState* state, IndexBuildCallback callback) {
    state->block = InvalidBlockNumber;
    tuplesort_rescan(state->entries);
    next_entry(state);
    const TableScanDesc table =
        table_beginscan_strat(state->heap, state->snapshot, 0, nullptr, true, false);
    IndexInfo* info = BuildIndexInfo(state->index);
    info->ii_Concurrent = true;  // as the snapshot says, not by the rows' own state
    table_index_build_scan(state->heap, state->index, info, false, false, callback, state, table);
}

void choose_queries(CalibrateState* state) {
    const QueryCounts counts =
        build_budget().query_counts(state->entry_count, state->shape.code_dims, state->lists.count);
    state->wanted_queries = counts.sum();
    state->queries = static_cast<float*>(MemoryContextAllocHuge(
        CurrentMemoryContext, sizeof(float) * state->wanted_queries * state->shape.dims));
    state->random = ContextOwned<std::mt19937_64>::make()->create(kSampleSeed);
    read_table(state, sample_row);
    state->calibrator =
        ContextOwned<Calibrator>::make()->create(state->meta.metric, state->shape.code_dims);
    const IndexSpace* space = load_index(state->index)->space;
    QueryDraw draw(counts, state->query_count);
    for (uint64 i = 0; i < state->query_count; ++i) {
        const float* row = state->queries + i * state->shape.dims;
        run_core([&] { state->calibrator->add_query(space, row, draw.next().value()); });
    }
    pfree(state->queries);
}

// -------------------------------------------------------------------------------------------------

void check_centroids_fit(Relation index, const LoadedIndex& loaded) {
    const uint64 bytes = tree_lists_bytes(loaded);
    if (bytes <= build_budget().bytes() / 4) return;
    ereport(
        ERROR,
        (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
         errmsg("the centroids of index \"%s\" do not fit a quarter of maintenance_work_mem",
                RelationGetRelationName(index)),
         errhint("Raise maintenance_work_mem to " UINT64_FORMAT " MB.", (4 * bytes >> 20) + 1)));
}

CalibrateState* make_state(const InspectedIndex& inspected) {
    auto* state = static_cast<CalibrateState*>(palloc0(sizeof(CalibrateState)));
    state->heap = inspected.heap;
    state->index = inspected.index;
    start_reading(state);
    state->row_context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss calibrate row", ALLOCSET_DEFAULT_SIZES);
    state->scratch = static_cast<float*>(palloc(sizeof(float) * state->shape.dims));
    state->vector = static_cast<float*>(palloc(sizeof(float) * state->shape.code_dims));
    return state;
}

// Returns the number of queries; 0: there is nothing to measure.
uint64 calibrate_by_table(const InspectedIndex& inspected) {
    CalibrateState* state = make_state(inspected);
    state->snapshot = RegisterSnapshot(GetLatestSnapshot());
    read_lists(state);
    choose_queries(state);
    uint64 measured_by = 0;
    if (state->query_count > 0) {
        const std::span<const float> centroids(state->lists.centroids,
                                               uint64{state->lists.count} * state->shape.code_dims);
        run_core([&] {
            state->calibrator->set_lists(centroids, state->lists.count, throw_if_cancelled);
        });
        read_table(state, observe_row);
        const Calibration calibration =
            run_core([&] { return state->calibrator->measure(throw_if_cancelled); });
        write_calibration(state->index, calibration);
        measured_by = calibration.query_count;
    }
    UnregisterSnapshot(state->snapshot);
    tuplesort_end(state->entries);
    ExecDropSingleTupleTableSlot(state->put_slot);
    ExecDropSingleTupleTableSlot(state->get_slot);
    return measured_by;
}

// By the index alone
// ---------------------------------------------------------------------------------------------

// Lists do not go while others wait for the lock that is held.
Calibration measure_entries(Relation index, const TreeLists& lists, const MeasuringPlan& plan) {
    Measuring* measuring = begin_measuring(*load_index(index), lists, plan, CurrentMemoryContext);
    MeasuringState state;
    do {
        CHECK_FOR_INTERRUPTS();
        state = go_on_measuring(measuring, index, *load_index(index), kDistancesOfStretch);
    } while (state == MeasuringState::kMore);
    if (state == MeasuringState::kGone) {
        raise_corrupted(index, lists.lists[0], "a list of the root is missing");
    }
    return end_measuring(measuring);
}

// If every page were full.
uint64 most_entries(Relation index, const LoadedIndex& loaded) {
    const ListGeometry geometry = loaded.geometry(0);
    return RelationGetNumberOfBlocks(index) / geometry.page_count() * geometry.max_entries;
}

uint64 calibrate_by_entries(const InspectedIndex& inspected) {
    Relation index = inspected.index;
    const LoadedIndex* loaded = load_index(index);
    const TreeLists lists = read_tree_lists(index, *loaded);
    const uint64 entries = most_entries(index, *loaded);
    const MeasuringPlan plan{
        .queries = build_budget().query_counts(entries, loaded->shape.code_dims, lists.count),
        .seed = kSampleSeed};
    const Calibration calibration = measure_entries(index, lists, plan);
    if (calibration.query_count > 0) write_calibration(index, calibration);
    return calibration.query_count;
}

uint64 calibrate(const InspectedIndex& inspected) {
    const LoadedIndex* loaded = load_index(inspected.index);
    // A search by votes goes by no calibration.
    if (loaded->meta.leaf_count <= 1 || loaded->meta.content != Content::kDescriptors) return 0;
    check_centroids_fit(inspected.index, *loaded);
    return can_measure_entries(*loaded) ? calibrate_by_entries(inspected)
                                        : calibrate_by_table(inspected);
}

}  // namespace

SQL_FUNCTION(faiss_index_calibrate) {
    PreventCommandDuringRecovery("faiss_index_calibrate()");
    PreventCommandIfReadOnly("faiss_index_calibrate()");
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), ShareUpdateExclusiveLock, InspectRight::kMaintain);
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss calibrate", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const uint64 queries = calibrate(inspected);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    close_inspected(inspected);
    PG_RETURN_INT32(static_cast<int32>(queries));
}

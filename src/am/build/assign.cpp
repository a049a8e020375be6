// The second pass over the table: every row finds its list, is encoded and sorted by list. While
// the worker assigns one batch, the backend encodes the one before.
#include "am/build/state.h"

extern "C" {
#include "access/tupdesc.h"
#include "catalog/pg_operator_d.h"
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <cstring>

namespace lookalike {
namespace {

constexpr uint64 kMaxBatchRows = 8192;

// Rows whose list is not known yet.
struct Batch {
    uint32 count;
    float* vectors;  // padded, in index space; null for binary metrics
    double* roundings;
    uint8_t* bits;  // binary metrics: row_bytes each
    EntryPointer* pointers;
    AttributeKeys* attributes;  // null: the index has none
    WorkerBatch request;
};

struct AssignScan {
    BuildState* state;
    uint32 batch_rows;
    uint32 bit_bytes;
    Batch batches[2];
    int filling;     // which of them
    bool in_flight;  // the other one is with the worker
    uint32_t* list_ids;
    float* distances;
    float* scratch;  // one row as floats
    EntryEncoder* encoder;
    uint32 key_bytes;
    uint32 code_bytes;
    uint32 refine_bytes;
    bytea* packed;
    TupleTableSlot* slot;
    int64 rows_done;
};

uint32 batch_rows(const BuildState* state) {
    const uint64 row_bytes = sizeof(float) * std::max(state->learn_dims, state->code_dims);
    return static_cast<uint32>(
        std::clamp<uint64>(batch_memory_bytes() / row_bytes, 1, kMaxBatchRows));
}

WorkerBatch batch_layout(const BuildState* state, int which) {
    const uint64 rows = batch_rows(state);
    WorkerBatch batch{};
    batch.dims = state->learn_dims;
    const uint64 rows_bytes = align_in_shared_area(sizeof(float) * rows * state->learn_dims);
    const uint64 ids_bytes = align_in_shared_area(sizeof(uint32_t) * rows);
    const uint64 distance_bytes = align_in_shared_area(sizeof(float) * rows);
    const uint64 start = static_cast<uint64>(which) * (rows_bytes + ids_bytes + distance_bytes);
    batch.rows_offset = start;
    batch.list_ids_offset = start + rows_bytes;
    batch.distances_offset = start + rows_bytes + ids_bytes;
    return batch;
}

float* shared_row(AssignScan* scan, const Batch& batch, uint32 row) {
    auto* start =
        static_cast<char*>(worker_shared(scan->state->worker)) + batch.request.rows_offset;
    return reinterpret_cast<float*>(start) + uint64{row} * scan->state->learn_dims;
}

void sort_tuple(AssignScan* scan, int32 list, EntryPointer pointer) {
    ++scan->state->entries;
    ExecClearTuple(scan->slot);
    scan->slot->tts_values[0] = Int32GetDatum(list);
    scan->slot->tts_values[1] =
        Int64GetDatum(static_cast<int64>(pointer.block()) << 16 | pointer.offset);
    scan->slot->tts_values[2] = PointerGetDatum(scan->packed);
    memset(scan->slot->tts_isnull, 0, 3);
    ExecStoreVirtualTuple(scan->slot);
    tuplesort_puttupleslot(scan->state->sort, scan->slot);
}

void sort_entry(AssignScan* scan, int32 list, const EncodedEntry& entry) {
    auto* packed = reinterpret_cast<PackedEntry*>(VARDATA(scan->packed));
    packed->factors = entry.factors;
    packed->radius = entry.radius;
    uint8_t* to = packed->bytes;
    if (scan->key_bytes > 0) {
        packed->nulls = entry.attributes->nulls;
        memcpy(to, entry.attributes->keys, scan->key_bytes);
        to += scan->key_bytes;
    }
    memcpy(to, entry.code, scan->code_bytes);
    if (scan->refine_bytes > 0) memcpy(to + scan->code_bytes, entry.refine, scan->refine_bytes);
    sort_tuple(scan, list, entry.pointer);
}

void observe_row(AssignScan* scan, const Batch& batch, uint32 row, uint32 list) {
    const BuildState* state = scan->state;
    const float* vector = scan->scratch;
    if (batch.bits == nullptr) {
        vector = batch.vectors + uint64{row} * state->code_dims;
    } else {
        bits_to_signs(batch.bits + uint64{row} * scan->bit_bytes, state->dims, scan->scratch);
    }
    run_core([&] { state->calibrator->observe(vector, list); });
}

// Encodes a batch whose lists are known.
void finish_batch(AssignScan* scan, Batch* batch, const uint32_t* list_ids) {
    BuildState* state = scan->state;
    for (uint32 row = 0; row < batch->count; ++row) {
        CHECK_FOR_INTERRUPTS();
        const uint32 list = list_ids == nullptr ? 0 : list_ids[row];
        EncodedEntry entry = run_core([&] {
            if (batch->bits != nullptr) {
                return scan->encoder->encode_bits(batch->bits + uint64{row} * scan->bit_bytes,
                                                  batch->pointers[row]);
            }
            return scan->encoder->encode(
                batch->vectors + uint64{row} * state->code_dims, batch->roundings[row],
                state->centroids + uint64{list} * state->code_dims, batch->pointers[row]);
        });
        if (state->calibrator != nullptr) observe_row(scan, *batch, row, list);
        if (batch->attributes != nullptr) entry.attributes = &batch->attributes[row];
        sort_entry(scan, static_cast<int32>(list), entry);
    }
    scan->rows_done += batch->count;
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, scan->rows_done);
    batch->count = 0;
}

// Collects the batch that the worker has, if it has one, and encodes it.
void collect_batch(AssignScan* scan) {
    if (!scan->in_flight) return;
    Batch* batch = &scan->batches[1 - scan->filling];
    worker_assign_end(scan->state->worker, &batch->request, scan->list_ids, scan->distances);
    scan->in_flight = false;
    finish_batch(scan, batch, scan->list_ids);
}

void send_batch(AssignScan* scan) {
    Batch* batch = &scan->batches[scan->filling];
    if (batch->count == 0) return;
    if (scan->state->worker == nullptr) {
        finish_batch(scan, batch, nullptr);
        return;
    }
    // The worker first: it assigns this batch while the one before is encoded here.
    if (scan->in_flight) {
        Batch* before = &scan->batches[1 - scan->filling];
        worker_assign_end(scan->state->worker, &before->request, scan->list_ids, scan->distances);
        batch->request.row_count = batch->count;
        worker_assign_begin(scan->state->worker, &batch->request);
        finish_batch(scan, before, scan->list_ids);
    } else {
        batch->request.row_count = batch->count;
        worker_assign_begin(scan->state->worker, &batch->request);
        scan->in_flight = true;
    }
    scan->filling = 1 - scan->filling;
}

void add_bits(AssignScan* scan, Batch* batch, const DescriptorView& value) {
    memcpy(batch->bits + uint64{batch->count} * scan->bit_bytes, value.bits(), scan->bit_bytes);
    if (scan->state->worker == nullptr) return;
    float* shared = shared_row(scan, *batch, batch->count);
    bits_to_signs(value.bits(), value.dims, shared);
}

void add_vector(AssignScan* scan, Batch* batch, const DescriptorView& value) {
    BuildState* state = scan->state;
    float* vector = batch->vectors + uint64{batch->count} * state->code_dims;
    const float* reals = as_reals(value, scan->scratch);
    batch->roundings[batch->count] =
        run_core([&] { return state->space->to_space(reals, vector); });
    if (state->worker != nullptr) {
        memcpy(shared_row(scan, *batch, batch->count), vector, sizeof(float) * state->learn_dims);
    }
}

void assign_row(Relation, ItemPointer row, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<AssignScan*>(argument);
    BuildState* state = scan->state;
    const EntryPointer pointer =
        entry_pointer(ItemPointerGetBlockNumber(row), ItemPointerGetOffsetNumber(row));
    if (is_null[0]) {
        sort_tuple(scan, null_list_key(state), pointer);
        return;
    }
    // The sample saw no descriptor. Under CONCURRENTLY one may have come since: its validation,
    // which is not done yet, inserts this row as any later one.
    if (!state->knows_shape) return;
    Descriptor* descriptor = checked_descriptor(values[0]);
    const DescriptorView value = descriptor->view();
    settle_shape(state, value);
    if (needs_direction(state->metric) && has_no_direction(value)) {
        sort_tuple(scan, nan_list_key(state), pointer);
    } else {
        Batch* batch = &scan->batches[scan->filling];
        if (batch->bits != nullptr) {
            add_bits(scan, batch, value);
        } else {
            add_vector(scan, batch, value);
        }
        if (batch->attributes != nullptr) {
            batch->attributes[batch->count] =
                attribute_keys(state->index, state->attributes, values, is_null);
        }
        batch->pointers[batch->count++] = pointer;
        if (batch->count == scan->batch_rows) send_batch(scan);
    }
    if (reinterpret_cast<Pointer>(descriptor) != DatumGetPointer(values[0])) pfree(descriptor);
}

void allocate_batches(AssignScan* scan) {
    BuildState* state = scan->state;
    const uint64 rows = scan->batch_rows;
    const int count = state->worker == nullptr ? 1 : 2;
    for (int i = 0; i < count; ++i) {
        Batch* batch = &scan->batches[i];
        batch->request = batch_layout(state, i);
        batch->pointers = static_cast<EntryPointer*>(palloc(sizeof(EntryPointer) * rows));
        if (state->attributes.count > 0) {
            batch->attributes = static_cast<AttributeKeys*>(palloc(sizeof(AttributeKeys) * rows));
        }
        if (is_binary(state->metric)) {
            batch->bits = static_cast<uint8_t*>(palloc(scan->bit_bytes * rows));
            continue;
        }
        batch->vectors = static_cast<float*>(palloc(sizeof(float) * rows * state->code_dims));
        batch->roundings = static_cast<double*>(palloc(sizeof(double) * rows));
    }
    scan->list_ids = static_cast<uint32_t*>(palloc(sizeof(uint32_t) * rows));
    scan->distances = static_cast<float*>(palloc(sizeof(float) * rows));
    scan->scratch = static_cast<float*>(palloc(sizeof(float) * state->dims));
}

void make_encoder(AssignScan* scan) {
    BuildState* state = scan->state;
    const auto refine = static_cast<Refine>(state->options.refine);
    auto* owned = ContextOwned<EntryEncoder>::make();
    const ListGeometry geometry = list_geometry(state->metric, state->code_dims, refine, 0);
    scan->encoder = is_binary(state->metric) ? owned->create(state->dims)
                                             : owned->create(*state->space, refine, 0u);
    scan->code_bytes = geometry.row_code_bytes;
    scan->refine_bytes =
        geometry.slot_bytes == 0 ? 0 : geometry.slot_bytes - sizeof(RefineSlotHeader);
}

void start_sort(BuildState* state) {
    AttrNumber columns[] = {1, 2};
    Oid operators[] = {Int4LessOperator, Int8LessOperator};
    Oid collations[] = {InvalidOid, InvalidOid};
    bool nulls_first[] = {false, false};
    const uint64 bytes = sort_memory_bytes(state->list_count, state->code_dims);
    state->sort = tuplesort_begin_heap(entry_tuple_descriptor(), 2, columns, operators, collations,
                                       nulls_first, static_cast<int>(bytes / 1024), nullptr, 0);
}

}  // namespace

TupleDesc entry_tuple_descriptor() {
    TupleDesc descriptor = CreateTemplateTupleDesc(3);
    TupleDescInitEntry(descriptor, 1, "list", INT4OID, -1, 0);
    TupleDescInitEntry(descriptor, 2, "row", INT8OID, -1, 0);
    TupleDescInitEntry(descriptor, 3, "entry", BYTEAOID, -1, 0);
    return descriptor;
}

uint64 assign_shared_bytes(const BuildState* state) {
    return 2 * batch_layout(state, 1).rows_offset;
}

void assign_rows(BuildState* state) {
    const int columns[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL,
                           PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {kPhaseAssign, static_cast<int64>(state->rows), 0};
    pgstat_progress_update_multi_param(3, columns, values);
    start_sort(state);
    // Batches are gone before the sort merges.
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss assignment", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    AssignScan scan{};
    scan.state = state;
    scan.bit_bytes = static_cast<uint32>(element_bytes(Kind::kBit, state->dims));
    scan.key_bytes = state->attributes.count * static_cast<uint32>(sizeof(uint64_t));
    scan.slot = MakeSingleTupleTableSlot(entry_tuple_descriptor(), &TTSOpsVirtual);
    scan.batch_rows = state->knows_shape ? batch_rows(state) : 0;
    if (state->knows_shape) {
        allocate_batches(&scan);
        make_encoder(&scan);
    }
    const Size packed_bytes = VARHDRSZ + offsetof(PackedEntry, bytes) + scan.key_bytes +
                              scan.code_bytes + scan.refine_bytes;
    scan.packed = static_cast<bytea*>(palloc0(packed_bytes));
    SET_VARSIZE(scan.packed, packed_bytes);
    state->heap_rows = table_index_build_scan(state->heap, state->index, state->info, false, true,
                                              assign_row, &scan, nullptr);
    send_batch(&scan);
    collect_batch(&scan);
    ExecDropSingleTupleTableSlot(scan.slot);
    if (state->calibrator != nullptr) {
        state->calibration =
            run_core([&] { return state->calibrator->measure(throw_if_cancelled); });
    }
    if (state->worker != nullptr) worker_stop(state->worker);
    state->worker = nullptr;
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
}

}  // namespace lookalike

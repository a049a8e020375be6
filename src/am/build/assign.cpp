// Every row finds its list, is encoded and sorted by list. While the worker assigns one batch, the
// backend encodes the one before.
#include "am/build/assign.h"

extern "C" {
#include "access/tableam.h"
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <cstring>

#include "am/filter/conditions.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr uint64 kMaxBatchRows = 8192;

// Rows whose list is not known yet.
struct Batch {
    uint32 count;
    EntryVector* vectors;  // they lie in `room`
    uint8_t* room;
    EntryPointer* pointers;
    AttributeKeys* attributes;  // null: the index has none
    WorkerBatch request;
};

struct AssignScan {
    const BuildJob* job;
    MetaPage meta;  // with what the sample has found
    const LearnedLists* lists;
    EntrySort* entries;
    uint32 batch_rows;
    size_t vector_bytes;
    Batch batches[2];
    int filling;     // which of them
    bool in_flight;  // the other one is with the worker
    uint32_t* list_ids;
    float* distances;
    float* scratch;  // one row as floats, as SQL has them
    EntryEncoder* encoder;
    int64 rows_done;  // vectors, as the sample counts
    double indexed_rows;
};

// Of a row in a batch; bits are padded for the worker.
uint64 shared_row_bytes(const LearnedLists& lists) {
    return worker_row_bytes(lists.assign_kind(), lists.learn_dims);
}

uint32 batch_rows(const LearnedLists& lists) {
    const uint64 row_bytes =
        std::max<uint64>(shared_row_bytes(lists), entry_vector_bytes(lists.shape));
    return static_cast<uint32>(
        std::clamp<uint64>(build_budget().batch_bytes() / row_bytes, 1, kMaxBatchRows));
}

WorkerBatch batch_layout(const LearnedLists& lists, int which) {
    return worker_batch(which, batch_rows(lists), lists.learn_dims, lists.assign_kind());
}

// Puts a row where the worker looks for it.
void share_row(const AssignScan& scan, const Batch& batch, uint32 row) {
    const LearnedLists& lists = *scan.lists;
    const uint64 bytes = shared_row_bytes(lists);
    char* to =
        static_cast<char*>(worker_shared(lists.worker)) + batch.request.rows_offset + row * bytes;
    const EntryVector& vector = batch.vectors[row];
    if (vector.bits == nullptr) {
        memcpy(to, vector.floats, bytes);
    } else {
        memcpy(to, vector.bits, scan.vector_bytes);
        memset(to + scan.vector_bytes, 0, bytes - scan.vector_bytes);
    }
}

void observe_rows(const AssignScan& scan, const Batch& batch, const uint32_t* list_ids) {
    constexpr uint32 kMostRows = QueryTile::kMostRows;
    Calibrator::Row rows[kMostRows];
    for (uint32 first = 0; first < batch.count; first += kMostRows) {
        CHECK_FOR_INTERRUPTS();
        const uint32 count = Min(kMostRows, batch.count - first);
        for (uint32 i = 0; i < count; ++i) {
            const EntryVector& vector = batch.vectors[first + i];
            rows[i] = {{vector.floats, vector.bits}, list_ids[first + i]};
        }
        run_core([&] { scan.lists->calibrator->observe({rows, count}); });
    }
}

// Encodes a batch whose lists are known.
void finish_batch(AssignScan* scan, Batch* batch, const uint32_t* list_ids) {
    if (scan->lists->calibrator != nullptr) observe_rows(*scan, *batch, list_ids);
    for (uint32 row = 0; row < batch->count; ++row) {
        CHECK_FOR_INTERRUPTS();
        const uint32 list = list_ids == nullptr ? 0 : list_ids[row];
        const EntryVector& vector = batch->vectors[row];
        const float* centroid = scan->lists->centroid(list);
        EncodedEntry entry =
            run_core([&] { return scan->encoder->encode(vector, centroid, batch->pointers[row]); });
        if (batch->attributes != nullptr) entry.attributes = &batch->attributes[row];
        put_entry(scan->entries, list, entry);
    }
    scan->rows_done += batch->count;
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, scan->rows_done);
    batch->count = 0;
}

// Collects the batch that the worker has, if it has one, and encodes it.
void collect_batch(AssignScan* scan) {
    if (!scan->in_flight) return;
    Batch* batch = &scan->batches[1 - scan->filling];
    worker_assign_end(scan->lists->worker, &batch->request, scan->list_ids, scan->distances);
    scan->in_flight = false;
    finish_batch(scan, batch, scan->list_ids);
}

void send_batch(AssignScan* scan) {
    Batch* batch = &scan->batches[scan->filling];
    if (batch->count == 0) return;
    if (scan->lists->worker == nullptr) {
        finish_batch(scan, batch, nullptr);
        return;
    }
    // The worker first: it assigns this batch while the one before is encoded here.
    if (scan->in_flight) {
        Batch* before = &scan->batches[1 - scan->filling];
        worker_assign_end(scan->lists->worker, &before->request, scan->list_ids, scan->distances);
        batch->request.row_count = batch->count;
        worker_assign_begin(scan->lists->worker, &batch->request);
        finish_batch(scan, before, scan->list_ids);
    } else {
        batch->request.row_count = batch->count;
        worker_assign_begin(scan->lists->worker, &batch->request);
        scan->in_flight = true;
    }
    scan->filling = 1 - scan->filling;
}

void add_to_batch(AssignScan* scan, const RowEntry& entry, EntryPointer pointer,
                  const Datum* values, const bool* is_null) {
    const LearnedLists& lists = *scan->lists;
    Batch* batch = &scan->batches[scan->filling];
    const uint32 at = batch->count++;
    batch->pointers[at] = pointer;
    batch->vectors[at] = to_index_space(lists.space, entry, scan->scratch,
                                        batch->room + uint64{at} * scan->vector_bytes);
    if (lists.worker != nullptr) share_row(*scan, *batch, at);
    if (batch->attributes != nullptr) {
        batch->attributes[at] =
            attribute_keys(scan->job->index, lists.shape.levels[0].attributes, values, is_null);
    }
    if (batch->count == scan->batch_rows) send_batch(scan);
}

void assign_row(Relation, ItemPointer row, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<AssignScan*>(argument);
    const LearnedLists& lists = *scan->lists;
    const EntryPointer pointer =
        entry_pointer(ItemPointerGetBlockNumber(row), ItemPointerGetOffsetNumber(row));
    // The sample saw no value. Under CONCURRENTLY one may have come since: its validation, which is
    // not done yet, inserts this row as any later one.
    if (!lists.knows_dims() && has_value(is_null)) return;
    const RowEntries entries = read_row_to_build(scan->meta, values, is_null);
    ++scan->indexed_rows;
    for (const RowEntry& entry : entries) {
        if (entry.list_class == ListClass::kLeaf) {
            add_to_batch(scan, entry, pointer, values, is_null);
        } else {
            put_plain_entry(scan->entries, plain_list_key(entry.list_class, lists.count), pointer);
        }
    }
    release_row(entries);
}

void allocate_batches(AssignScan* scan) {
    const LearnedLists& lists = *scan->lists;
    const uint64 rows = scan->batch_rows;
    const int count = lists.worker == nullptr ? 1 : 2;
    for (int i = 0; i < count; ++i) {
        Batch* batch = &scan->batches[i];
        batch->request = batch_layout(lists, i);
        batch->pointers = static_cast<EntryPointer*>(palloc(sizeof(EntryPointer) * rows));
        if (lists.shape.levels[0].attributes.count > 0) {
            batch->attributes = static_cast<AttributeKeys*>(palloc(sizeof(AttributeKeys) * rows));
        }
        batch->vectors = static_cast<EntryVector*>(palloc(sizeof(EntryVector) * rows));
        batch->room = static_cast<uint8_t*>(palloc(scan->vector_bytes * rows));
    }
    scan->list_ids = static_cast<uint32_t*>(palloc(sizeof(uint32_t) * rows));
    scan->distances = static_cast<float*>(palloc(sizeof(float) * rows));
    scan->scratch = static_cast<float*>(palloc(sizeof(float) * lists.shape.dims));
}

// What takes rows that have a distance; without dimensions there is none.
void prepare_batches(AssignScan* scan) {
    const LearnedLists& lists = *scan->lists;
    if (!lists.knows_dims()) return;
    scan->batch_rows = batch_rows(lists);
    scan->vector_bytes = entry_vector_bytes(lists.shape);
    allocate_batches(scan);
    scan->encoder = ContextOwned<EntryEncoder>::make()->create(lists.shape, lists.space, 0u);
}

void report_phase(uint64 rows) {
    const int columns[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL,
                           PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {kPhaseAssign, static_cast<int64>(rows), 0};
    pgstat_progress_update_multi_param(3, columns, values);
}

}  // namespace

uint64 assign_shared_bytes(const LearnedLists& lists) {
    return 2 * batch_layout(lists, 1).rows_offset;
}

AssignedRows assign_rows(const BuildJob& job, LearnedLists* lists, uint64 rows_seen) {
    report_phase(rows_seen);
    AssignedRows assigned{};
    assigned.entries = start_entry_sort(
        lists->leaf_geometry(), build_budget().sort_bytes(lists->count, lists->shape.code_dims));
    // Batches are gone before the sort merges.
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss assignment", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    AssignScan scan{};
    scan.job = &job;
    scan.meta = job.meta;
    scan.meta.dims = lists->shape.dims;
    scan.meta.local_kind = lists->local_kind;
    scan.lists = lists;
    scan.entries = assigned.entries;
    prepare_batches(&scan);
    assigned.heap_rows = table_index_build_scan(job.heap, job.index, job.info, false, true,
                                                assign_row, &scan, nullptr);
    send_batch(&scan);
    collect_batch(&scan);
    assigned.indexed_rows = scan.indexed_rows;
    if (lists->calibrator != nullptr) {
        assigned.calibration =
            run_core([&] { return lists->calibrator->measure(throw_if_cancelled); });
    }
    if (lists->worker != nullptr) worker_stop(lists->worker);
    lists->worker = nullptr;
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    return assigned;
}

}  // namespace lookalike

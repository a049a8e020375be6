#include "pg/learn/learner.h"

#include <algorithm>
#include <cstring>

#include "core/build/build_plan.h"
#include "pg/learn/window.h"
#include "pg/run_core.h"
#include "pg/worker/threads.h"

namespace lookalike {
namespace {

constexpr uint64 kKeptShare = 4;  // of the memory: a worker that takes more is not kept

// Rows on their way to the worker and back: in one half of the shared area each.
struct Batch {
    WorkerBatch request;
    uint32 first_row;  // their numbers begin here
};

uint64 row_bytes(const Learner& learner) {
    return sizeof(float) * uint64{learner.dims()};
}

float* shared_floats(const Learner& learner, uint64 offset) {
    return reinterpret_cast<float*>(static_cast<char*>(worker_shared(learner.worker)) + offset);
}

WorkerBatch batch_layout(const Learner& learner, int which) {
    return worker_batch(which, learner.batch_rows, learner.dims(), Kind::kReal);
}

// The sample lies in the shared area in the order of the keys, whatever the order of the rows.
void share_sample(Learner* learner, uint64 sample_rows) {
    const PartitionRows& rows = *learner->rows;
    auto* sample = static_cast<SampledRow*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(SampledRow) * sample_rows));
    learner->sample_count = run_core([&] {
        return choose_sample(rows.key_span(), {sample, static_cast<size_t>(sample_rows)});
    });
    void* kept = palloc(rows.form.bytes());
    rewind_rows(rows);
    for (uint32 number = 0, next = 0; next < learner->sample_count; ++number) {
        CHECK_FOR_INTERRUPTS();
        number = next_kept_row(rows, number);
        read_next_row(rows, kept);
        if (sample[next].row != number) continue;
        kept_to_floats(rows.form, kept,
                       shared_floats(*learner, sample[next].place * row_bytes(*learner)));
        ++next;
    }
    pfree(kept);
    pfree(sample);
}

// Puts the next rows where the worker looks for them and returns how many there were.
uint64 fill_batch(const Learner& learner, uint64 rows_left, uint32* number, void* kept,
                  Batch* batch) {
    const PartitionRows& rows = *learner.rows;
    const uint64 count = std::min(rows_left, learner.batch_rows);
    batch->request.row_count = count;
    for (uint64 i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        *number = next_kept_row(rows, *number);
        if (i == 0) batch->first_row = *number;
        read_next_row(rows, kept);
        kept_to_floats(rows.form, kept,
                       shared_floats(learner, batch->request.rows_offset + i * row_bytes(learner)));
        ++*number;
    }
    return count;
}

// Waits for a batch and notes the clusters of its rows.
void end_batch(const Learner& learner, const Batch& batch, uint32_t* clusters, float* distances) {
    worker_assign_end(learner.worker, &batch.request, clusters, distances);
    const PartitionRows& rows = *learner.rows;
    uint32 number = batch.first_row;
    for (uint64 i = 0; i < batch.request.row_count; ++i, ++number) {
        number = next_kept_row(rows, number);
        rows.clusters[number] = static_cast<int32>(clusters[i]);
    }
}

void give_centroids(const Learner& learner) {
    memcpy(shared_floats(learner, learner.centroids_offset), learner.centroids,
           learner.count * row_bytes(learner));
    const WorkerCentroids given{.offset = learner.centroids_offset,
                                .list_count = learner.count,
                                .dims = learner.dims(),
                                .kind = Kind::kReal};
    worker_set_centroids(learner.worker, &given);
}

void stop_kept_worker(FmgrInfo* function) {
    if (function->fn_extra != nullptr) worker_stop(static_cast<Worker*>(function->fn_extra));
    function->fn_extra = nullptr;
}

Worker* kept_or_new_worker(FmgrInfo* function, const WorkerLimits& limits) {
    auto* kept = static_cast<Worker*>(function->fn_extra);
    if (kept != nullptr && worker_suffices(kept, &limits)) return kept;
    stop_kept_worker(function);
    const MemoryContext previous = MemoryContextSwitchTo(function->fn_mcxt);
    Worker* worker = worker_start(&limits);
    MemoryContextSwitchTo(previous);
    function->fn_extra = worker;
    return worker;
}

}  // namespace

void start_learner(FmgrInfo* function, const PartitionRows& rows, uint64 sample_rows, uint32 most,
                   Learner* learner) {
    *learner = {};
    learner->rows = &rows;
    learner->function = function;
    learner->batch_rows =
        KmeansBudget(cluster_memory(), rows.row_count, rows.form.dims).batch_rows();
    const uint64 batches_bytes = 2 * batch_layout(*learner, 1).rows_offset;
    learner->centroids_offset =
        align_in_shared_area(std::max(sample_rows * row_bytes(*learner), batches_bytes));
    const WorkerLimits limits{
        .shared_bytes = learner->centroids_offset + most * row_bytes(*learner),
        .thread_count = learning_thread_count(),
        .memory_budget_bytes = worker_training_bytes(sample_rows, learner->dims(), most)};
    learner->worker = kept_or_new_worker(function, limits);
    learner->centroids = static_cast<float*>(
        MemoryContextAllocHuge(CurrentMemoryContext, most * row_bytes(*learner)));
    share_sample(learner, sample_rows);
}

void learn_clusters(Learner* learner, uint32 count) {
    const bool are_directions = learner->rows->form.has_length_one;
    const WorkerTraining training{
        .rows_offset = 0,
        .centroids_offset = learner->centroids_offset,
        .row_count = learner->sample_count,
        .list_count = count,
        .dims = learner->dims(),
        .iteration_count = kLearnIterations,
        .aim = are_directions ? LearnAim::kDirections : LearnAim::kClusters};
    learner->count = worker_train(learner->worker, &training, learner->centroids, nullptr, nullptr);
}

// The worker assigns one batch while the next is read.
void assign_clusters(Learner* learner) {
    give_centroids(*learner);
    const PartitionRows& rows = *learner->rows;
    auto* clusters = static_cast<uint32_t*>(palloc(sizeof(uint32_t) * learner->batch_rows));
    auto* distances = static_cast<float*>(palloc(sizeof(float) * learner->batch_rows));
    void* kept = palloc(rows.form.bytes());
    Batch batches[2] = {{batch_layout(*learner, 0), 0}, {batch_layout(*learner, 1), 0}};
    rewind_rows(rows);
    uint32 number = 0;
    int filling = 0;
    bool in_flight = false;
    for (uint64 left = rows.kept_count; left > 0; filling = 1 - filling) {
        left -= fill_batch(*learner, left, &number, kept, &batches[filling]);
        if (in_flight) end_batch(*learner, batches[1 - filling], clusters, distances);
        worker_assign_begin(learner->worker, &batches[filling].request);
        in_flight = true;
    }
    if (in_flight) end_batch(*learner, batches[1 - filling], clusters, distances);
}

const float* sampled_rows(const Learner& learner) {
    return shared_floats(learner, 0);
}

void stop_learner(Learner* learner) {
    const WorkerLimits& limits = learner->worker->limits;
    if (limits.shared_bytes + limits.memory_budget_bytes > cluster_memory() / kKeptShare)
        stop_kept_worker(learner->function);
}

void make_room_for_partition(FmgrInfo* function, int64 row_count) {
    if (KmeansBudget::row_bytes(row_count) > cluster_memory() / 2) stop_kept_worker(function);
}

}  // namespace lookalike

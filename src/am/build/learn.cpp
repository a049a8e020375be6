// The number of lists and their centroids, learned in the worker.
#include "am/build/state.h"

extern "C" {
#include "commands/progress.h"
#include "optimizer/optimizer.h"
#include "utils/backend_progress.h"
}

#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace lookalike {
namespace {

constexpr uint64 kRowsToLearnAList = 39;  // below, centroids are poorly trained

// Sums in double: the rows may be many.
void compute_mean(BuildState* state) {
    auto* sums = static_cast<double*>(palloc0(sizeof(double) * state->dims));
    for (uint64 row = 0; row < state->sample_rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        const float* values = state->sample + row * state->dims;
        double scale = 1;
        if (needs_direction(state->metric)) {
            double square = 0;
            for (uint32 i = 0; i < state->dims; ++i)
                square += double{values[i]} * values[i];
            scale = 1 / std::sqrt(square);
        }
        for (uint32 i = 0; i < state->dims; ++i)
            sums[i] += values[i] * scale;
    }
    state->mean = static_cast<float*>(palloc(sizeof(float) * state->dims));
    for (uint32 i = 0; i < state->dims; ++i)
        state->mean[i] = static_cast<float>(sums[i] / static_cast<double>(state->sample_rows));
}

void make_space(BuildState* state) {
    if (is_binary(state->metric)) {
        state->code_dims = state->dims;
        state->learn_dims = state->dims;
        return;
    }
    if (state->sample_rows > 0) compute_mean(state);
    const std::span<const float> mean(state->mean, state->mean == nullptr ? 0 : state->dims);
    state->space =
        ContextOwned<IndexSpace>::make()->create(state->metric, state->dims, kRotationSeed, mean);
    state->code_dims = state->space->padded_dims();
    state->learn_dims = std::min(state->code_dims, kMaxLearnDims);
}

uint32 choose_list_count(const BuildState* state) {
    const uint64 fits = fitting_list_count(state->code_dims);
    uint64 wanted = static_cast<uint64>(state->options.lists);
    if (wanted == 0) wanted = wanted_list_count(state->rows);
    const uint64 count = std::min({wanted, fits, std::max<uint64>(1, state->sample_rows)});
    if (count > 1 && (count < wanted || state->sample_rows < count * kRowsToLearnAList) &&
        state->sample_rows < state->rows) {
        ereport(NOTICE,
                (errmsg("index \"%s\" learns %u lists from a sample of " UINT64_FORMAT " rows",
                        RelationGetRelationName(state->index), static_cast<uint32>(count),
                        state->sample_rows),
                 errdetail("A good index of this table wants " UINT64_FORMAT
                           " lists and at least %u rows for each.",
                           wanted, static_cast<uint32>(kRowsToLearnAList)),
                 errhint("Raise maintenance_work_mem.")));
    }
    return static_cast<uint32>(count);
}

int thread_count() {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return static_cast<int>(
        std::clamp<long>(max_parallel_maintenance_workers + 1, 1, std::max(cores, 1L)));
}

// Some rows of the sample are the queries by which the index measures itself.
void choose_queries(BuildState* state) {
    state->calibrator = ContextOwned<Calibrator>::make()->create(state->metric, state->code_dims);
    QueryDraw draw(query_counts(state->rows, state->code_dims, state->list_count),
                   state->sample_rows);
    for (uint64 row = 0; row < state->sample_rows; ++row) {
        const std::optional<Meets> meets = draw.next();
        if (!meets) continue;
        const float* values = state->sample + row * state->dims;
        run_core([&] { state->calibrator->add_query(state->space, values, *meets); });
    }
}

// The sample in index space, cut to what the worker sees, goes to the shared area.
void share_sample(BuildState* state, float* shared) {
    std::vector<float>* scratch = nullptr;
    if (state->space != nullptr) {
        scratch = ContextOwned<std::vector<float>>::make()->create(state->code_dims);
    }
    for (uint64 row = 0; row < state->sample_rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        const float* from = state->sample + row * state->dims;
        if (scratch != nullptr) {
            run_core([&] { state->space->to_space(from, scratch->data()); });
            from = scratch->data();
        }
        memcpy(shared + row * state->learn_dims, from, sizeof(float) * state->learn_dims);
    }
}

void report_iteration(uint64_t step, uint64_t step_count, void*) {
    const int columns[] = {PROGRESS_CREATEIDX_TUPLES_TOTAL, PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {static_cast<int64>(step_count), static_cast<int64>(step)};
    pgstat_progress_update_multi_param(2, columns, values);
}

void start_worker(BuildState* state, uint64 sample_bytes, uint64 centroid_bytes) {
    const uint64 batch_bytes = assign_shared_bytes(state);
    const WorkerLimits limits{
        .shared_bytes = align_in_shared_area(std::max(sample_bytes, batch_bytes)) + centroid_bytes,
        .thread_count = thread_count(),
        .memory_budget_bytes =
            worker_training_bytes(state->sample_rows, state->learn_dims, state->list_count)};
    state->worker = worker_start(&limits);
}

// Binary centroids are bits as well: what the worker learned is rounded to -1 and 1.
void round_to_bits(BuildState* state) {
    for (uint64 i = 0; i < uint64{state->list_count} * state->learn_dims; ++i)
        state->centroids[i] = state->centroids[i] > 0 ? 1.0f : -1.0f;
}

void train(BuildState* state, uint64 centroids_offset) {
    share_sample(state, static_cast<float*>(worker_shared(state->worker)));
    pfree(state->sample);
    state->sample = nullptr;
    auto* learned = static_cast<float*>(MemoryContextAllocHuge(
        CurrentMemoryContext, sizeof(float) * uint64{state->list_count} * state->learn_dims));
    const WorkerTraining training{.rows_offset = 0,
                                  .centroids_offset = centroids_offset,
                                  .row_count = state->sample_rows,
                                  .list_count = state->list_count,
                                  .dims = state->learn_dims,
                                  .iteration_count = kLearnIterations,
                                  .spherical = false};
    state->list_count = worker_train(state->worker, &training, learned, report_iteration, nullptr);
    const uint64 stride = is_binary(state->metric) ? state->learn_dims : state->code_dims;
    state->centroids = static_cast<float*>(
        MemoryContextAllocExtended(CurrentMemoryContext, sizeof(float) * state->list_count * stride,
                                   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    for (uint32 list = 0; list < state->list_count; ++list) {
        memcpy(state->centroids + list * stride, learned + uint64{list} * state->learn_dims,
               sizeof(float) * state->learn_dims);
    }
    if (is_binary(state->metric)) round_to_bits(state);
    pfree(learned);
}

// Gives the memory of the sample back, but for what batches will take of it. That it may fail, and
// the memory stay until the build's end, harms nobody.
void release_shared_sample(BuildState* state, uint64 sample_bytes) {
    const uint64 kept = TYPEALIGN(sysconf(_SC_PAGESIZE), assign_shared_bytes(state));
    if (sample_bytes <= kept) return;
    madvise(static_cast<char*>(worker_shared(state->worker)) + kept, sample_bytes - kept,
            MADV_REMOVE);
}

// The worker keeps what it is to assign to.
void give_centroids(BuildState* state, uint64 centroids_offset) {
    const uint64 stride = is_binary(state->metric) ? state->learn_dims : state->code_dims;
    auto* shared = reinterpret_cast<float*>(static_cast<char*>(worker_shared(state->worker)) +
                                            centroids_offset);
    for (uint32 list = 0; list < state->list_count; ++list) {
        memcpy(shared + uint64{list} * state->learn_dims, state->centroids + list * stride,
               sizeof(float) * state->learn_dims);
    }
    worker_set_centroids(state->worker, centroids_offset, state->list_count, state->learn_dims);
}

}  // namespace

void learn_lists(BuildState* state) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLearn);
    state->list_count = 1;
    if (!state->knows_shape) return;
    make_space(state);
    state->list_count = choose_list_count(state);
    if (state->list_count > 1) {
        choose_queries(state);
        const uint64 row_bytes = sizeof(float) * uint64{state->learn_dims};
        const uint64 sample_bytes = state->sample_rows * row_bytes;
        const uint64 centroid_bytes = state->list_count * row_bytes;
        start_worker(state, sample_bytes, centroid_bytes);
        const uint64 centroids_offset =
            align_in_shared_area(std::max(sample_bytes, assign_shared_bytes(state)));
        train(state, centroids_offset);
        release_shared_sample(state, sample_bytes);
        give_centroids(state, centroids_offset);
        if (state->list_count > 1) {
            const std::span<const float> centroids(state->centroids,
                                                   uint64{state->list_count} * state->code_dims);
            run_core([&] {
                state->calibrator->set_lists(centroids, state->list_count, throw_if_cancelled);
            });
        } else {
            state->centroids = nullptr;
            state->calibrator = nullptr;
        }
    } else if (state->sample != nullptr) {
        pfree(state->sample);
        state->sample = nullptr;
    }
    if (state->centroids == nullptr && !is_binary(state->metric)) {
        state->centroids = static_cast<float*>(palloc0(sizeof(float) * state->code_dims));
    }
}

}  // namespace lookalike

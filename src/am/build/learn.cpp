// The number of lists and their centroids, learned in the worker.
#include "am/build/learn.h"

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

#include "am/build/assign.h"
#include "core/vector/signs.h"
#include "pg/run_core.h"
#include "pg/worker/threads.h"

namespace lookalike {
namespace {

constexpr uint64 kRowsToLearnAList = 39;  // below, centroids are poorly trained
constexpr uint64 kMegabyte = 1024 * 1024;

// Sums in double: the rows may be many.
const float* mean_of(Metric metric, const RowSample& sample) {
    auto* sums = static_cast<double*>(palloc0(sizeof(double) * sample.dims));
    for (uint64 row = 0; row < sample.row_count; ++row) {
        CHECK_FOR_INTERRUPTS();
        const float* values = sample.row(row);
        double scale = 1;
        if (needs_direction(metric)) {
            double square = 0;
            for (uint32 i = 0; i < sample.dims; ++i)
                square += double{values[i]} * values[i];
            scale = 1 / std::sqrt(square);
        }
        for (uint32 i = 0; i < sample.dims; ++i)
            sums[i] += values[i] * scale;
    }
    auto* mean = static_cast<float*>(palloc(sizeof(float) * sample.dims));
    for (uint32 i = 0; i < sample.dims; ++i)
        mean[i] = static_cast<float>(sums[i] / static_cast<double>(sample.row_count));
    return mean;
}

// Of the shape that the meta page will have, what tells how entries and lists lie on their pages.
IndexShape entry_shape(const BuildJob& job, uint32 dims) {
    MetaPage meta = job.meta;
    meta.dims = dims;
    return index_shape(meta);
}

void make_space(const BuildJob& job, const RowSample& sample, LearnedLists* lists) {
    lists->shape = entry_shape(job, sample.dims);
    if (is_binary(job.metric())) {
        lists->learn_dims = sample.dims;
        return;
    }
    if (sample.row_count > 0) lists->mean = mean_of(job.metric(), sample);
    const std::span<const float> mean(lists->mean, lists->mean == nullptr ? 0 : sample.dims);
    lists->space = ContextOwned<IndexSpace>::make()->create(job.metric(), sample.dims,
                                                            job.meta.rotation_seed, mean);
    lists->learn_dims = std::min(lists->shape.code_dims, kMaxLearnDims);
}

uint32 choose_list_count(const BuildJob& job, const RowSample& sample, uint32 code_dims) {
    const uint64 fits = build_budget().fitting_list_count(code_dims);
    const uint64 wanted = wanted_lists(job, sample.rows_seen);
    const uint64 count = std::min({wanted, fits, std::max<uint64>(1, sample.row_count)});
    if (count > 1 && (count < wanted || sample.row_count < count * kRowsToLearnAList) &&
        sample.row_count < sample.rows_seen) {
        const uint64 rows = std::min(wanted * kRowsToLearnAList, sample.rows_seen);
        const uint64 enough = BuildBudget::bytes_to_learn(wanted, rows, sample.dims, code_dims);
        ereport(NOTICE,
                (errmsg("index \"%s\" learns %u lists from a sample of " UINT64_FORMAT " rows",
                        RelationGetRelationName(job.index), static_cast<uint32>(count),
                        sample.row_count),
                 errdetail("A good index of this table wants " UINT64_FORMAT
                           " lists and at least %u rows for each.",
                           wanted, static_cast<uint32>(kRowsToLearnAList)),
                 // Not where it is enough, and too few rows of the sample have a direction.
                 enough > build_budget().bytes()
                     ? errhint("Raise maintenance_work_mem to " UINT64_FORMAT " MB.",
                               enough / kMegabyte + 1)
                     : 0));
    }
    return static_cast<uint32>(count);
}

// Some rows of the sample are the queries by which the index measures itself.
void choose_queries(const RowSample& sample, LearnedLists* lists) {
    const IndexShape& shape = lists->shape;
    lists->calibrator = ContextOwned<Calibrator>::make()->create(shape.metric, shape.code_dims);
    QueryDraw draw(build_budget().query_counts(sample.rows_seen, shape.code_dims, lists->count),
                   sample.row_count);
    for (uint64 row = 0; row < sample.row_count; ++row) {
        const std::optional<Meets> meets = draw.next();
        if (!meets) continue;
        run_core([&] { lists->calibrator->add_query(lists->space, sample.row(row), *meets); });
    }
}

// The sample in index space, cut to what the worker sees, goes to the shared area.
void share_sample(const RowSample& sample, const LearnedLists& lists, float* shared) {
    std::vector<float>* scratch = nullptr;
    if (lists.space != nullptr) {
        scratch = ContextOwned<std::vector<float>>::make()->create(lists.shape.code_dims);
    }
    for (uint64 row = 0; row < sample.row_count; ++row) {
        CHECK_FOR_INTERRUPTS();
        const float* from = sample.row(row);
        if (scratch != nullptr) {
            run_core([&] { lists.space->to_space(from, scratch->data()); });
            from = scratch->data();
        }
        memcpy(shared + row * lists.learn_dims, from, sizeof(float) * lists.learn_dims);
    }
}

void report_iteration(uint64_t step, uint64_t step_count, void*) {
    const int columns[] = {PROGRESS_CREATEIDX_TUPLES_TOTAL, PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {static_cast<int64>(step_count), static_cast<int64>(step)};
    pgstat_progress_update_multi_param(2, columns, values);
}

// How the area shared with the worker is divided while lists are learned.
struct SharedArea {
    uint64 sample_bytes;      // from its start on; later the batches lie there
    uint64 centroids_offset;  // behind both
    uint64 centroid_bytes;
};

SharedArea divide_area(const RowSample& sample, const LearnedLists& lists) {
    const uint64 row_bytes = sizeof(float) * uint64{lists.learn_dims};
    const uint64 sample_bytes = sample.row_count * row_bytes;
    return {.sample_bytes = sample_bytes,
            .centroids_offset =
                align_in_shared_area(std::max(sample_bytes, assign_shared_bytes(lists))),
            .centroid_bytes = lists.count * row_bytes};
}

float* shared_floats(Worker* worker, uint64 offset) {
    return reinterpret_cast<float*>(static_cast<char*>(worker_shared(worker)) + offset);
}

Worker* start_worker(const RowSample& sample, const LearnedLists& lists, const SharedArea& area) {
    const WorkerLimits limits{.shared_bytes = area.centroids_offset + area.centroid_bytes,
                              .thread_count = learning_thread_count(),
                              .memory_budget_bytes = worker_training_bytes(
                                  sample.row_count, lists.learn_dims, lists.count)};
    return worker_start(&limits);
}

// Binary centroids are bits as well: what the worker learned is rounded to -1 and 1.
void round_to_bits(LearnedLists* lists) {
    for (uint64 i = 0; i < uint64{lists->count} * lists->learn_dims; ++i)
        lists->centroids[i] = lists->centroids[i] > 0 ? 1.0f : -1.0f;
}

// Of the floats of a centroid the worker learns the first.
void keep_centroids(const float* learned, LearnedLists* lists) {
    const uint64 stride = lists->shape.code_dims;
    lists->centroids = static_cast<float*>(
        MemoryContextAllocExtended(CurrentMemoryContext, sizeof(float) * lists->count * stride,
                                   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    for (uint32 list = 0; list < lists->count; ++list) {
        memcpy(lists->centroids + list * stride, learned + uint64{list} * lists->learn_dims,
               sizeof(float) * lists->learn_dims);
    }
    if (is_binary(lists->shape.metric)) round_to_bits(lists);
}

void train(const BuildJob& job, RowSample* sample, LearnedLists* lists, const SharedArea& area) {
    const bool are_words = job.meta.content == Content::kLocalFeatures;
    share_sample(*sample, *lists, shared_floats(lists->worker, 0));
    release_rows(sample);
    auto* learned = static_cast<float*>(MemoryContextAllocHuge(
        CurrentMemoryContext, sizeof(float) * uint64{lists->count} * lists->learn_dims));
    const WorkerTraining training{
        .rows_offset = 0,
        .centroids_offset = area.centroids_offset,
        .row_count = sample->row_count,
        .list_count = lists->count,
        .dims = lists->learn_dims,
        .iteration_count = are_words ? kLearnIterationsOfWords : kLearnIterations};
    lists->count = worker_train(lists->worker, &training, learned, report_iteration, nullptr);
    keep_centroids(learned, lists);
    pfree(learned);
}

// Gives the memory of the sample back, but for what batches will take of it. That it may fail, and
// the memory stay until the build's end, harms nobody.
void release_shared_sample(const LearnedLists& lists, uint64 sample_bytes) {
    const uint64 kept = TYPEALIGN(sysconf(_SC_PAGESIZE), assign_shared_bytes(lists));
    if (sample_bytes <= kept) return;
    madvise(static_cast<char*>(worker_shared(lists.worker)) + kept, sample_bytes - kept,
            MADV_REMOVE);
}

// The worker keeps what it is to assign to. Bits take less room than what it learned.
void give_centroids(const LearnedLists& lists, uint64 centroids_offset) {
    const WorkerCentroids given{.offset = centroids_offset,
                                .list_count = lists.count,
                                .dims = lists.learn_dims,
                                .kind = lists.assign_kind()};
    const uint64 row_bytes = worker_row_bytes(given.kind, given.dims);
    char* shared = static_cast<char*>(worker_shared(lists.worker)) + centroids_offset;
    for (uint32 list = 0; list < lists.count; ++list, shared += row_bytes) {
        if (given.kind == Kind::kBit) {
            memset(shared, 0, row_bytes);
            signs_to_bits(lists.centroid(list), given.dims, reinterpret_cast<uint8_t*>(shared));
        } else {
            memcpy(shared, lists.centroid(list), row_bytes);
        }
    }
    worker_set_centroids(lists.worker, &given);
}

// REQUIRES: lists->count is above 1. It may sink to 1, where rows have only one value.
void learn_in_worker(const BuildJob& job, RowSample* sample, LearnedLists* lists) {
    if (job.meta.content == Content::kDescriptors) choose_queries(*sample, lists);
    const SharedArea area = divide_area(*sample, *lists);
    lists->worker = start_worker(*sample, *lists, area);
    train(job, sample, lists, area);
    release_shared_sample(*lists, area.sample_bytes);
    give_centroids(*lists, area.centroids_offset);
    if (lists->count == 1) {
        lists->centroids = nullptr;
        lists->calibrator = nullptr;
    } else if (lists->calibrator != nullptr) {
        const std::span<const float> centroids(lists->centroids,
                                               uint64{lists->count} * lists->shape.code_dims);
        run_core(
            [&] { lists->calibrator->set_lists(centroids, lists->count, throw_if_cancelled); });
    }
}

}  // namespace

LearnedLists learn_lists(const BuildJob& job, RowSample* sample) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLearn);
    LearnedLists lists{};
    lists.count = 1;
    lists.local_kind = sample->local_kind;
    if (sample->dims == 0) return lists;
    make_space(job, *sample, &lists);
    lists.count = choose_list_count(job, *sample, lists.shape.code_dims);
    if (lists.count > 1) {
        learn_in_worker(job, sample, &lists);
    } else {
        release_rows(sample);
    }
    if (lists.centroids == nullptr && lists.space != nullptr) {
        lists.centroids = static_cast<float*>(palloc0(sizeof(float) * lists.shape.code_dims));
    }
    return lists;
}

}  // namespace lookalike

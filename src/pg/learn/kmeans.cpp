// kmeans(features, k, metric): the clusters of a partition's rows.
#include <algorithm>
#include <cstring>

#include "core/cluster/silhouette.h"
#include "pg/learn/learner.h"
#include "pg/learn/window.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr ClusterMetrics kMetrics{
    .function = "kmeans", .allows_jaccard = false, .keeps_direction = true};

// Rows by which numbers of clusters are compared: learned from, and judged by.
constexpr uint64 kRowsToChooseFrom = 8192;
constexpr uint64 kRowsToJudge = 2048;
constexpr uint64 kJudgedShare = 16;  // of the memory

// 0: it is to be chosen.
uint32 count_argument(WindowObject window) {
    bool is_null;
    const int32 count = DatumGetInt32(WinGetFuncArgCurrent(window, 1, &is_null));
    if (is_null) return 0;
    if (count <= 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("number of clusters must be greater than zero")));
    }
    return static_cast<uint32>(count);
}

// How many rows so many clusters are learned from. Raises where there is too little memory, of
// which a part may be kept for something else.
uint64 sample_rows(const PartitionRows& rows, uint32 count, uint64 kept_bytes = 0) {
    if (count > kWorkerMaxLists) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("cannot find more than %u clusters", kWorkerMaxLists)));
    }
    const KmeansBudget budget(cluster_memory() - kept_bytes, rows.row_count, rows.form.dims);
    require_cluster_memory(budget.least_bytes(rows.kept_count, count) + kept_bytes,
                           kMetrics.function, rows.row_count);
    return budget.sample_rows(rows.kept_count, count);
}

uint64 judging_bytes() {
    return cluster_memory() / kJudgedShare;
}

// The rows that judge stay here: what is in the shared area is the worker's, too.
std::span<const float> judging_rows(const Learner& learner) {
    const uint64 row_bytes = sizeof(float) * uint64{learner.dims()};
    const uint64 fitting = std::max<uint64>(judging_bytes() / row_bytes, 1);
    const uint64 count = std::min({learner.sample_count, kRowsToJudge, fitting});
    auto* rows =
        static_cast<float*>(MemoryContextAllocHuge(CurrentMemoryContext, count * row_bytes));
    memcpy(rows, sampled_rows(learner), count * row_bytes);
    return {rows, static_cast<size_t>(count * learner.dims())};
}

// The number of clusters with the greatest silhouette, of two the lower.
uint32 choose_count(FmgrInfo* function, const PartitionRows& rows, uint64 distinct) {
    const uint32 most = most_tried_clusters(distinct);
    Learner learner;
    const uint64 fitting = sample_rows(rows, most, judging_bytes());
    start_learner(function, rows, std::min(fitting, kRowsToChooseFrom), most, &learner);
    const std::span<const float> judges = judging_rows(learner);
    uint32 best = 2;
    double best_width = 0;
    for (uint32 count = 2; count <= most; count = next_tried_count(count)) {
        learn_clusters(&learner, count);
        if (learner.count < 2) break;
        const std::span<const float> centroids(learner.centroids,
                                               size_t{learner.count} * learner.dims());
        const double width = run_core(
            [&] { return silhouette(judges, centroids, learner.dims(), throw_if_cancelled); });
        if (width <= best_width) continue;
        best_width = width;
        best = count;
    }
    stop_learner(&learner);
    return best;
}

void find_in_worker(FmgrInfo* function, const PartitionRows& rows, uint32 count) {
    Learner learner;
    start_learner(function, rows, sample_rows(rows, count), count, &learner);
    learn_clusters(&learner, count);
    assign_clusters(&learner);
    stop_learner(&learner);
    run_core([&] { number_by_size(rows.key_span(), learner.count, rows.cluster_span()); });
}

// `count` 0: it is to be chosen.
void part_rows(FmgrInfo* function, const PartitionRows& rows, uint32 count) {
    const uint64 distinct = distinct_count(rows.key_span());
    if (count == 0) count = distinct > 2 ? choose_count(function, rows, distinct) : 2;
    if (count == 1) return;  // which is what they have
    if (count < distinct) return find_in_worker(function, rows, count);
    run_core([&] {
        const uint32_t found = make_cluster_of_each(rows.key_span(), rows.cluster_span());
        number_by_size(rows.key_span(), found, rows.cluster_span());
    });
}

void find_kmeans_clusters(const ClusterCall& call) {
    const uint32 count = count_argument(call.window);
    const char* metric = text_argument(call.window, 2);
    require_cluster_memory(KmeansBudget::row_bytes(call.row_count), kMetrics.function,
                           call.row_count);
    make_room_for_partition(call.function, call.row_count);
    PartitionRows rows;
    read_partition(call.window, kMetrics, metric, call.clusters, &rows);
    part_rows(call.function, rows, count);
    close_partition(&rows);
}

}  // namespace
}  // namespace lookalike

SQL_FUNCTION(kmeans) {
    return lookalike::cluster_of_current_row(fcinfo, lookalike::find_kmeans_clusters);
}

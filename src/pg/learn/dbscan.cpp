// dbscan(features, radius, min_rows, metric): the dense clusters of a partition's rows.
#include "core/cluster/dbscan.h"

#include <cmath>

#include "pg/learn/partition.h"
#include "pg/learn/window.h"
#include "pg/run_core.h"
#include "pg/type/sphere.h"

namespace lookalike {
namespace {

constexpr ClusterMetrics kMetrics{
    .function = "dbscan", .allows_jaccard = true, .keeps_direction = false};

void require_value(bool is_null, const char* argument) {
    if (!is_null) return;
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", argument)));
}

double radius_argument(WindowObject window) {
    bool is_null;
    const double radius = DatumGetFloat8(WinGetFuncArgCurrent(window, 1, &is_null));
    require_value(is_null, "the radius");
    check_radius(radius);
    if (radius < 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the radius must not be negative")));
    }
    return radius;
}

uint32 min_rows_argument(WindowObject window) {
    bool is_null;
    const int32 min_rows = DatumGetInt32(WinGetFuncArgCurrent(window, 2, &is_null));
    require_value(is_null, "min_rows");
    if (min_rows < 1) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("min_rows must be greater than zero")));
    }
    return static_cast<uint32>(min_rows);
}

// The kept rows in the order of their keys, so that the order of the partition decides nothing.
DenseRows load_rows(const PartitionRows& rows) {
    const size_t bytes = rows.form.bytes();
    auto* loaded = static_cast<uint8_t*>(
        MemoryContextAllocHuge(CurrentMemoryContext, rows.kept_count * bytes));
    auto* places = static_cast<uint32*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * rows.row_count));
    for (uint64 place = 0; place < rows.kept_count; ++place)
        places[rows.keys[place].row] = static_cast<uint32>(place);
    rewind_rows(rows);
    for (uint64 i = 0, number = 0; i < rows.kept_count; ++i, ++number) {
        CHECK_FOR_INTERRUPTS();
        number = next_kept_row(rows, static_cast<uint32>(number));
        read_next_row(rows, loaded + places[number] * bytes);
    }
    pfree(places);
    return {loaded, rows.form, rows.kept_count};
}

void part_rows(const PartitionRows& rows, DbscanOptions options) {
    if (rows.kept_count == 0) return;
    options.metric = rows.metric;
    require_cluster_memory(rows.kept_count * (rows.form.bytes() + kDbscanRowBytes),
                           kMetrics.function, rows.row_count);
    const DenseRows dense = load_rows(rows);
    auto* clusters = static_cast<int32*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * rows.kept_count));
    run_core([&] {
        const std::span<int32> found(clusters, rows.kept_count);
        const uint32 count = find_dense_clusters(dense, options, found, throw_if_cancelled);
        for (uint64 place = 0; place < rows.kept_count; ++place)
            rows.clusters[rows.keys[place].row] = clusters[place];
        number_by_size(rows.key_span(), count, rows.cluster_span());
    });
}

void find_dbscan_clusters(const ClusterCall& call) {
    const DbscanOptions options{.metric = Metric::kL2,
                                .radius = radius_argument(call.window),
                                .min_rows = min_rows_argument(call.window)};
    const char* metric = text_argument(call.window, 3);
    require_cluster_memory(static_cast<uint64>(call.row_count) * kDbscanRowBytes, kMetrics.function,
                           call.row_count);
    PartitionRows rows;
    read_partition(call.window, kMetrics, metric, call.clusters, &rows);
    part_rows(rows, options);
    close_partition(&rows);
}

}  // namespace
}  // namespace lookalike

SQL_FUNCTION(dbscan) {
    return lookalike::cluster_of_current_row(fcinfo, lookalike::find_dbscan_clusters);
}

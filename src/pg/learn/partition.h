// The rows of a window function's partition: read once, checked, and kept in a file for the
// session, because there may be more of them than memory.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/buffile.h"
#include "windowapi.h"
}

#include <span>

#include "core/cluster/row_form.h"
#include "core/cluster/row_order.h"

namespace lookalike {

/// Of a row in no cluster: NULL in SQL.
constexpr int32 kNoCluster = -1;

/// Metrics by which a function parts rows.
struct ClusterMetrics {
    const char* function;  ///< its name
    bool allows_jaccard;
    bool keeps_direction;  ///< under cosine rows are kept as floats of length 1
};

/// Lives in the memory context that was current at read_partition, but for `clusters`.
struct PartitionRows {
    int64 row_count;  ///< NULLs among them
    int32* clusters;  ///< of each row; until it has one 0 for kept rows and kNoCluster for others
    RowKey* keys;     ///< of the kept rows, sorted
    uint64 kept_count;
    Metric metric;
    RowForm form;   ///< of no meaning without kept rows
    BufFile* file;  ///< the kept rows, form.bytes() each, in the order of the partition

    std::span<const RowKey> key_span() const { return {keys, kept_count}; }
    std::span<int32> cluster_span() const { return {clusters, static_cast<size_t>(row_count)}; }
};

/// Reads argument 0 of all rows. Rows that are NULL, and under cosine those of length 0, are not
/// kept. Raises when rows differ in kind or dimensions, or the metric does not fit them.
/// `metric_name` may be null: L2, of bits Hamming. After it comes close_partition, unless an ERROR
/// does. REQUIRES: `clusters` has room for all rows.
void read_partition(WindowObject window, const ClusterMetrics& metrics, const char* metric_name,
                    int32* clusters, PartitionRows* rows);

/// Ends the file.
void close_partition(PartitionRows* rows);

/// Goes back to the first kept row.
void rewind_rows(const PartitionRows& rows);

/// Reads the next kept row. REQUIRES: there is one.
void read_next_row(const PartitionRows& rows, void* kept);

/// The number of the first row from `row` on that was kept. REQUIRES: there is one.
inline uint32 next_kept_row(const PartitionRows& rows, uint32 row) {
    while (rows.clusters[row] == kNoCluster)
        ++row;
    return row;
}

}  // namespace lookalike

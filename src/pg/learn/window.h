// What window functions that number clusters share: all rows are computed at the first of a
// partition.
#pragma once

#include "pg/learn/partition.h"

namespace lookalike {

/// A partition whose clusters are wanted.
struct ClusterCall {
    WindowObject window;
    FmgrInfo* function;  ///< its fn_extra belongs to who finds the clusters
    int64 row_count;
    int32* clusters;  ///< of each row, to be written
};

/// Called in a memory context of its own.
using FindClusters = void (*)(const ClusterCall& call);

/// The memory that clusters may take: maintenance_work_mem.
uint64 cluster_memory();

/// Raises unless so many bytes will do.
void require_cluster_memory(uint64 bytes, const char* function, uint64 row_count);

/// The value of the current row, from what `find` did.
Datum cluster_of_current_row(FunctionCallInfo fcinfo, FindClusters find);

/// An argument that is a text, palloc'd; null for NULL.
char* text_argument(WindowObject window, int index);

}  // namespace lookalike

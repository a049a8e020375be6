#include "pg/learn/window.h"

namespace lookalike {
namespace {

// Lives as long as the partition.
struct FoundClusters {
    int32* of_row;  // null: they have not been looked for
};

void find_clusters(FunctionCallInfo fcinfo, FindClusters find, FoundClusters* found) {
    WindowObject window = PG_WINDOW_OBJECT();
    const int64 row_count = WinGetPartitionRowCount(window);
    if (row_count > PG_INT32_MAX) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("cannot find clusters among more than %d rows", PG_INT32_MAX)));
    }
    auto* clusters = static_cast<int32*>(
        MemoryContextAllocHuge(GetMemoryChunkContext(found), sizeof(int32) * row_count));
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "clusters", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    find({window, fcinfo->flinfo, row_count, clusters});
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    found->of_row = clusters;
}

}  // namespace

uint64 cluster_memory() {
    return static_cast<uint64>(maintenance_work_mem) * 1024;
}

void require_cluster_memory(uint64 bytes, const char* function, uint64 row_count) {
    if (bytes <= cluster_memory()) return;
    ereport(ERROR,
            (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
             errmsg("%s() over " UINT64_FORMAT " rows needs more than maintenance_work_mem",
                    function, row_count),
             errhint("Raise maintenance_work_mem to " UINT64_FORMAT " MB.", (bytes >> 20) + 1)));
}

Datum cluster_of_current_row(FunctionCallInfo fcinfo, FindClusters find) {
    WindowObject window = PG_WINDOW_OBJECT();
    if (!WindowObjectIsValid(window)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("the function can be called as a window function only")));
    }
    auto* found =
        static_cast<FoundClusters*>(WinGetPartitionLocalMemory(window, sizeof(FoundClusters)));
    if (found->of_row == nullptr) find_clusters(fcinfo, find, found);
    const int32 cluster = found->of_row[WinGetCurrentPosition(window)];
    if (cluster == kNoCluster) PG_RETURN_NULL();
    PG_RETURN_INT32(cluster);
}

char* text_argument(WindowObject window, int index) {
    bool is_null;
    const Datum datum = WinGetFuncArgCurrent(window, index, &is_null);
    return is_null ? nullptr : TextDatumGetCString(datum);
}

}  // namespace lookalike

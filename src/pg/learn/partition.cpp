#include "pg/learn/partition.h"

#include <cstring>

#include "pg/run_core.h"
#include "pg/type/descriptor.h"

namespace lookalike {
namespace {

const char* what_of(Metric metric) {
    switch (metric) {
        case Metric::kCosine:
            return "cosine distance";
        case Metric::kHamming:
            return "Hamming distance";
        case Metric::kJaccard:
            return "Jaccard distance";
        default:
            return "L2 distance";
    }
}

bool is_allowed(const ClusterMetrics& metrics, Metric metric) {
    return metric == Metric::kL2 || metric == Metric::kCosine || metric == Metric::kHamming ||
           (metric == Metric::kJaccard && metrics.allows_jaccard);
}

Metric metric_of(const ClusterMetrics& metrics, const char* name, Kind kind) {
    if (name == nullptr) return kind == Kind::kBit ? Metric::kHamming : Metric::kL2;
    for (uint32 i = 0; i < kMetricCount; ++i) {
        const auto metric = static_cast<Metric>(i);
        if (is_allowed(metrics, metric) && strcmp(name, traits_of(metric).name) == 0) return metric;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s() has no metric \"%s\"", metrics.function, name),
                    errhint("Use \"l2\" or \"cosine\", of bit descriptors \"hamming\"%s.",
                            metrics.allows_jaccard ? " or \"jaccard\"" : "")));
}

// The first row decides what the others must be.
void settle_form(const ClusterMetrics& metrics, const char* metric_name, const DescriptorView& row,
                 PartitionRows* rows) {
    rows->metric = metric_of(metrics, metric_name, row.kind);
    if (is_binary(rows->metric)) {
        check_bit(row, what_of(rows->metric));
    } else {
        check_numeric(row, what_of(rows->metric));
    }
    rows->form = {row.kind, row.dims, false};
    if (metrics.keeps_direction) rows->form = learning_form(row, rows->metric);
}

void check_shape(const DescriptorView& first, const DescriptorView& row) {
    if (row.kind != first.kind) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("expected a %s descriptor, not %s", kind_name(first.kind),
                               kind_name(row.kind)),
                        errdetail("The rows of a partition have one kind of elements."),
                        errhint("Use PARTITION BY descriptor_kind().")));
    }
    if (row.dims != first.dims) {
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("expected %u dimensions, not %u", first.dims, row.dims),
                        errdetail("The rows of a partition have one number of dimensions."),
                        errhint("Use PARTITION BY descriptor_dims().")));
    }
}

bool has_direction(const DescriptorView& row) {
    for (uint32 i = 0; i < row.dims; ++i)
        if (element_at(row, i) != 0) return true;
    return false;
}

// Adds a row, unless it has no place among the others. `kept` has room for it.
void add_row(PartitionRows* rows, uint32 number, const DescriptorView& row, void* kept) {
    if (needs_direction(rows->metric) && !has_direction(row)) return;
    if (!keep_row(rows->form, row, kept)) return;
    const size_t bytes = rows->form.bytes();
    BufFileWrite(rows->file, kept, bytes);
    rows->keys[rows->kept_count++] = {row_hash(kept, bytes), number};
    rows->clusters[number] = 0;
}

// Reads one row after the other, each in a context of its own: fetching and detoasting allocate.
void read_rows(WindowObject window, const ClusterMetrics& metrics, const char* metric_name,
               PartitionRows* rows) {
    const MemoryContext outer = CurrentMemoryContext;
    const MemoryContext each =
        AllocSetContextCreate(outer, "row of a partition", ALLOCSET_DEFAULT_SIZES);
    DescriptorView first{};
    void* kept = nullptr;
    for (int64 i = 0; i < rows->row_count; ++i) {
        CHECK_FOR_INTERRUPTS();
        MemoryContextReset(each);
        MemoryContextSwitchTo(each);
        bool is_null, is_out;
        const Datum datum = WinGetFuncArgInPartition(window, 0, static_cast<int>(i),
                                                     WINDOW_SEEK_HEAD, false, &is_null, &is_out);
        if (!is_null && !is_out) {
            const DescriptorView row = checked_descriptor(datum)->view();
            if (kept == nullptr) {
                settle_form(metrics, metric_name, row, rows);
                first = {row.kind, row.dims, nullptr};
                kept = MemoryContextAlloc(outer, rows->form.bytes());
            }
            check_shape(first, row);
            add_row(rows, static_cast<uint32>(i), row, kept);
        }
        MemoryContextSwitchTo(outer);
    }
    MemoryContextDelete(each);
}

}  // namespace

void read_partition(WindowObject window, const ClusterMetrics& metrics, const char* metric_name,
                    int32* clusters, PartitionRows* rows) {
    rows->row_count = WinGetPartitionRowCount(window);
    rows->clusters = clusters;
    std::fill_n(clusters, rows->row_count, kNoCluster);
    rows->keys = static_cast<RowKey*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RowKey) * rows->row_count));
    rows->kept_count = 0;
    rows->file = BufFileCreateTemp(false);
    read_rows(window, metrics, metric_name, rows);
    run_core([&] { sort_keys({rows->keys, rows->kept_count}, throw_if_cancelled); });
}

void close_partition(PartitionRows* rows) {
    BufFileClose(rows->file);
}

void rewind_rows(const PartitionRows& rows) {
    if (BufFileSeek(rows.file, 0, 0, SEEK_SET) != 0) {
        ereport(ERROR,
                (errcode_for_file_access(), errmsg("could not rewind a temporary file: %m")));
    }
}

void read_next_row(const PartitionRows& rows, void* kept) {
    if (BufFileRead(rows.file, kept, rows.form.bytes()) != rows.form.bytes()) {
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file: %m")));
    }
}

}  // namespace lookalike

// How many rows there are, of what shape, and a random sample of them.
#include "am/build/sample.h"

extern "C" {
#include "access/tableam.h"
#include "commands/progress.h"
#include "utils/backend_progress.h"
}

#include <algorithm>
#include <cmath>
#include <random>

#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr uint64 kSampleSeed = 20150601;

// Each row is taken with the same chance, which sinks as rows come: rows taken before stay with the
// chance that is left to them. So the sample follows the table's size without knowing it
// beforehand, and is the same whatever the statistics say.
struct SampleScan {
    MetaPage meta;  // what is known of the values
    const BuildJob* job;
    RowSample sample;
    uint64 rows_seen;     // that have a value
    uint64 rows_read;     // of these
    uint64 entries_read;  // they have so many
    std::mt19937_64* random;
    double chance;    // with which rows are taken
    uint64 capacity;  // rows that there is memory for
};

bool happens(std::mt19937_64* random, double chance) {
    return static_cast<double>((*random)() >> 11) < std::ldexp(chance, 53);
}

// Keeps the rows of the sample that `stays` returns true of, in their order.
template <typename Stays>
void keep_rows(RowSample* sample, Stays stays) {
    uint64 kept = 0;
    for (uint64 row = 0; row < sample->row_count; ++row) {
        const float* from = sample->row(row);
        if (!stays(from)) continue;
        if (kept < row) std::copy(from, from + sample->dims, sample->rows + kept * sample->dims);
        ++kept;
    }
    sample->row_count = kept;
}

// The entries of all rows seen until now: those that were not read have as many as the others.
uint64 entries_seen(const SampleScan& scan) {
    if (scan.rows_read == 0) return 0;
    const double each =
        static_cast<double>(scan.entries_read) / static_cast<double>(scan.rows_read);
    return static_cast<uint64>(std::llround(static_cast<double>(scan.rows_seen) * each));
}

// The sample that so many entries as were seen until now want.
uint64 wanted_rows(const SampleScan& scan) {
    return build_budget().sample_rows(scan.sample.dims, wanted_lists(*scan.job, entries_seen(scan)),
                                      scan.meta.content == Content::kLocalFeatures);
}

// Lowers the chance to what leaves so many rows of those seen until now.
void thin_out(SampleScan* scan, uint64 wanted) {
    const double share = static_cast<double>(wanted) / static_cast<double>(entries_seen(*scan));
    const double chance = std::min(scan->chance, share);
    const double left = chance / scan->chance;
    if (left < 1)
        keep_rows(&scan->sample, [&](const float*) { return happens(scan->random, left); });
    scan->chance = chance;
}

// There is room for a quarter more than are wanted, so that it does not happen for every row.
void make_room(SampleScan* scan) {
    RowSample* sample = &scan->sample;
    const uint64 fitting = build_budget().fitting_sample_rows(sample->dims);
    const uint64 wanted = std::min(wanted_rows(*scan), fitting / 5 * 4);
    thin_out(scan, wanted);
    scan->capacity = std::max(wanted + wanted / 4, sample->row_count + 1);
    const uint64 bytes = sizeof(float) * scan->capacity * sample->dims;
    sample->rows = static_cast<float*>(sample->rows == nullptr
                                           ? MemoryContextAllocHuge(CurrentMemoryContext, bytes)
                                           : repalloc_huge(sample->rows, bytes));
}

// The first value decides what the others must be, unless the column's type does.
void settle_shape(SampleScan* scan, const RowEntries& row) {
    if (scan->meta.content == Content::kLocalFeatures) {
        scan->meta.local_kind = row.local_kind;
        scan->sample.local_kind = row.local_kind;
        return;
    }
    const DescriptorView& value = row.begin()->vector;
    if (scan->sample.dims > 0) return;
    scan->sample.kind = value.kind;
    scan->sample.dims = value.dims;
    scan->meta.dims = value.dims;
}

void sample_row(Relation, ItemPointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<SampleScan*>(argument);
    RowSample* sample = &scan->sample;
    if (!has_value(is_null)) return;
    ++scan->rows_seen;
    // Most rows of a big table are not taken: they need not even be read from TOAST.
    if (!happens(scan->random, scan->chance)) return;
    const RowEntries row = read_row_to_build(scan->meta, values, is_null);
    settle_shape(scan, row);
    ++scan->rows_read;
    scan->entries_read += row.vector_count();
    for (const RowEntry& entry : row) {
        if (entry.list_class == ListClass::kRow) continue;
        if (sample->row_count == scan->capacity) make_room(scan);
        copy_elements(entry, sample->rows + sample->row_count++ * sample->dims);
    }
    release_row(row);
}

void drop_zero_rows(RowSample* sample) {
    keep_rows(sample, [&](const float* row) {
        return std::any_of(row, row + sample->dims, [](float x) { return x != 0; });
    });
}

}  // namespace

RowSample sample_rows(const BuildJob& job) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseSample);
    SampleScan scan{};
    scan.job = &job;
    scan.meta = job.meta;
    scan.sample.dims = job.meta.dims;
    scan.sample.kind = static_cast<Kind>(job.meta.kind);
    scan.random = ContextOwned<std::mt19937_64>::make()->create(kSampleSeed);
    scan.chance = 1;
    table_index_build_scan(job.heap, job.index, job.info, false, true, sample_row, &scan, nullptr);
    if (scan.sample.rows != nullptr) thin_out(&scan, wanted_rows(scan));
    if (needs_direction(job.metric())) drop_zero_rows(&scan.sample);
    scan.sample.rows_seen = entries_seen(scan);
    return scan.sample;
}

void release_rows(RowSample* sample) {
    if (sample->rows != nullptr) pfree(sample->rows);
    sample->rows = nullptr;
}

}  // namespace lookalike

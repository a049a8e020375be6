// The first pass over the table: how many rows, of what shape, and a random sample of them.
#include "am/build/state.h"

extern "C" {
#include "commands/progress.h"
#include "utils/backend_progress.h"
}

#include <algorithm>
#include <cmath>
#include <random>

#include "core/vector/half.h"

namespace lookalike {
namespace {

constexpr uint64 kSampleSeed = 20150601;

// Each row is taken with the same chance, which sinks as rows come: rows taken before stay with the
// chance that is left to them. So the sample follows the table's size without knowing it
// beforehand, and is the same whatever the statistics say.
struct SampleScan {
    BuildState* state;
    std::mt19937_64* random;
    double chance;    // with which rows are taken
    uint64 capacity;  // rows that there is memory for
};

bool happens(std::mt19937_64* random, double chance) {
    return static_cast<double>((*random)() >> 11) < std::ldexp(chance, 53);
}

void copy_row(const DescriptorView& value, float* to) {
    if (value.kind == Kind::kBit) return bits_to_signs(value.bits(), value.dims, to);
    for (uint32 i = 0; i < value.dims; ++i)
        to[i] = element_at(value, i);
}

// Keeps the rows of the sample that `stays` returns true of, in their order.
template <typename Stays>
void keep_rows(BuildState* state, Stays stays) {
    uint64 kept = 0;
    for (uint64 row = 0; row < state->sample_rows; ++row) {
        const float* from = state->sample + row * state->dims;
        if (!stays(from)) continue;
        if (kept < row) std::copy(from, from + state->dims, state->sample + kept * state->dims);
        ++kept;
    }
    state->sample_rows = kept;
}

// The sample that so many rows as were seen until now want.
uint64 wanted_rows(const BuildState* state) {
    const uint64 lists = state->options.lists > 0 ? static_cast<uint64>(state->options.lists)
                                                  : wanted_list_count(state->rows);
    return sample_size(state->dims, lists);
}

// Lowers the chance to what leaves so many rows of those seen until now.
void thin_out(SampleScan* scan, uint64 wanted) {
    BuildState* state = scan->state;
    const double chance =
        std::min(scan->chance, static_cast<double>(wanted) / static_cast<double>(state->rows));
    const double left = chance / scan->chance;
    if (left < 1) keep_rows(state, [&](const float*) { return happens(scan->random, left); });
    scan->chance = chance;
}

// There is room for a quarter more than are wanted, so that it does not happen for every row.
void make_room(SampleScan* scan) {
    BuildState* state = scan->state;
    const uint64 fitting = fitting_sample_rows(state->dims);
    const uint64 wanted = std::min(wanted_rows(state), fitting / 5 * 4);
    thin_out(scan, wanted);
    scan->capacity = std::max(wanted + wanted / 4, state->sample_rows + 1);
    const uint64 bytes = sizeof(float) * scan->capacity * state->dims;
    state->sample = static_cast<float*>(state->sample == nullptr
                                            ? MemoryContextAllocHuge(CurrentMemoryContext, bytes)
                                            : repalloc_huge(state->sample, bytes));
}

void sample_row(Relation, ItemPointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<SampleScan*>(argument);
    BuildState* state = scan->state;
    if (is_null[0]) return;
    ++state->rows;
    // Most rows of a big table are not taken: they need not even be read from TOAST.
    if (!happens(scan->random, scan->chance)) return;
    Descriptor* descriptor = checked_descriptor(values[0]);
    const DescriptorView value = descriptor->view();
    settle_shape(state, value);
    if (state->sample_rows == scan->capacity) make_room(scan);
    copy_row(value, state->sample + state->sample_rows++ * state->dims);
    if (reinterpret_cast<Pointer>(descriptor) != DatumGetPointer(values[0])) pfree(descriptor);
}

void drop_zero_rows(BuildState* state) {
    keep_rows(state, [&](const float* row) {
        return std::any_of(row, row + state->dims, [](float x) { return x != 0; });
    });
}

}  // namespace

void sample_rows(BuildState* state) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseSample);
    auto* random = ContextOwned<std::mt19937_64>::make()->create(kSampleSeed);
    SampleScan scan{.state = state, .random = random, .chance = 1, .capacity = 0};
    table_index_build_scan(state->heap, state->index, state->info, false, true, sample_row, &scan,
                           nullptr);
    if (state->sample != nullptr) thin_out(&scan, wanted_rows(state));
    if (needs_direction(state->metric)) drop_zero_rows(state);
}

}  // namespace lookalike

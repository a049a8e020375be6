// The first pass over the table: how many rows, of what shape, and a random sample of them.
#include "am/build_state.h"

extern "C" {
#include "commands/progress.h"
#include "optimizer/plancat.h"
#include "utils/backend_progress.h"
}

#include <algorithm>
#include <cmath>
#include <random>

#include "core/half.h"

namespace lookalike {
namespace {

constexpr uint64 kSampleSeed = 20150601;

struct SampleScan {
    BuildState* state;
    std::mt19937_64* random;
};

uint64 expected_lists(const BuildState* state) {
    if (state->options.lists > 0) return static_cast<uint64>(state->options.lists);
    BlockNumber pages;
    double rows;
    double all_visible;
    estimate_rel_size(state->heap, nullptr, &pages, &rows, &all_visible);
    return static_cast<uint64>(std::sqrt(std::max(rows, 0.0))) + 1;
}

void allocate_sample(BuildState* state) {
    const uint64 row_bytes = sizeof(float) * state->dims;
    state->sample_capacity = sample_capacity(state->dims, expected_lists(state));
    state->sample = static_cast<float*>(
        MemoryContextAllocHuge(CurrentMemoryContext, state->sample_capacity * row_bytes));
}

void copy_row(const DescriptorView& value, float* to) {
    if (value.kind == Kind::kBit) return bits_to_signs(value.bits(), value.dims, to);
    for (uint32 i = 0; i < value.dims; ++i)
        to[i] = element_at(value, i);
}

// The place of this row in the sample, or sample_capacity: it is not taken.
uint64 choose_place(BuildState* state, std::mt19937_64* random) {
    if (state->sample_rows < state->sample_capacity) return state->sample_rows++;
    return std::min((*random)() % state->rows, state->sample_capacity);
}

void sample_row(Relation, ItemPointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* scan = static_cast<SampleScan*>(argument);
    BuildState* state = scan->state;
    if (is_null[0]) return;
    ++state->rows;
    // Most rows of a big table are not taken: they need not even be read from TOAST.
    const bool is_first = state->sample == nullptr;
    const uint64 place = is_first ? 0 : choose_place(state, scan->random);
    if (!is_first && place >= state->sample_capacity) return;
    Descriptor* descriptor = checked_descriptor(values[0]);
    const DescriptorView value = descriptor->view();
    settle_shape(state, value);
    if (is_first) {
        allocate_sample(state);
        state->sample_rows = 1;
    }
    copy_row(value, state->sample + place * state->dims);
    if (reinterpret_cast<Pointer>(descriptor) != DatumGetPointer(values[0])) pfree(descriptor);
}

void drop_zero_rows(BuildState* state) {
    uint64 kept = 0;
    for (uint64 row = 0; row < state->sample_rows; ++row) {
        const float* from = state->sample + row * state->dims;
        if (std::all_of(from, from + state->dims, [](float x) { return x == 0; })) continue;
        std::copy(from, from + state->dims, state->sample + kept * state->dims);
        ++kept;
    }
    state->sample_rows = kept;
}

}  // namespace

void sample_rows(BuildState* state) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseSample);
    auto* random = ContextOwned<std::mt19937_64>::make()->create(kSampleSeed);
    SampleScan scan{state, random};
    table_index_build_scan(state->heap, state->index, state->info, false, true, sample_row, &scan,
                           nullptr);
    if (state->metric == Metric::kCosine) drop_zero_rows(state);
}

}  // namespace lookalike

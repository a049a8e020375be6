// What the steps of CREATE INDEX hand to each other.
#pragma once

#include "am/access_method.h"

extern "C" {
#include "access/tableam.h"
#include "utils/tuplesort.h"
}

#include "am/build/plan.h"
#include "am/filter/conditions.h"
#include "am/options.h"
#include "am/storage/loaded_index.h"
#include "core/code/entry_encoder.h"
#include "core/measure/calibrator.h"
#include "pg/run_core.h"
#include "pg/type/descriptor.h"
#include "pg/worker/client.h"

namespace lookalike {

constexpr uint64_t kRotationSeed = 0x6c6f6f6b616c696bull;

/// Lives in the build's memory context from start to end.
struct BuildState {
    Relation heap;
    Relation index;
    IndexInfo* info;
    FaissOptions options;
    Metric metric;
    TypeModifier modifier;

    AttributeWidths attributes;

    // From the sample.
    bool knows_shape;  ///< kind and dims are known
    Kind kind;
    uint32 dims;
    uint64 rows;       ///< with a place in the metric
    double heap_rows;  ///< of the table, as PostgreSQL counts them
    uint64 entries;    ///< that went into the index
    float* sample;     ///< sample_rows x dims, raw; binary metrics: -1 and 1; in shared memory
    uint64 sample_rows;
    float* mean;  ///< null for binary metrics and empty tables
    const IndexSpace* space;
    uint32 code_dims;   ///< as IndexShape
    uint32 learn_dims;  ///< of vectors that the worker sees: the first of the padded ones

    // From learning.
    Worker* worker;
    uint32 list_count;  ///< 1: no worker was needed
    float* centroids;   ///< list_count x code_dims in index space, zero beyond learn_dims

    Calibrator* calibrator;  ///< null for one list

    // From assigning.
    Calibration calibration;
    Tuplesortstate* sort;
};

/// Reads the table once: counts rows, settles kind and dimensions, keeps a random sample.
void sample_rows(BuildState* state);

/// Decides on the number of lists and learns their centroids.
void learn_lists(BuildState* state);

/// Bytes of the shared area that assign_rows() needs: it uses them from its start.
uint64 assign_shared_bytes(const BuildState* state);

/// Reads the table again: encodes every row and sorts the entries by list.
void assign_rows(BuildState* state);

/// Writes the lists, the root and the mean, and tells the meta page where they are.
void write_lists(BuildState* state, MetaPage* meta);

/// Raises unless the metric and the column's modifier take the value; settles the shape by the
/// first value.
void settle_shape(BuildState* state, const DescriptorView& value);

/// Bits as the worker and the calibration see them: -1 and 1.
inline void bits_to_signs(const uint8_t* bits, uint32 dims, float* signs) {
    for (uint32 i = 0; i < dims; ++i)
        signs[i] = (bits[i / 8] >> (7 - i % 8)) & 1 ? 1.0f : -1.0f;
}

/// Sort keys of rows that have no place in a list follow those of the lists.
inline int32 null_list_key(const BuildState* state) {
    return static_cast<int32>(state->list_count);
}
inline int32 nan_list_key(const BuildState* state) {
    return static_cast<int32>(state->list_count) + 1;
}

/// Columns of the tuples that are sorted: list, row, encoded entry.
TupleDesc entry_tuple_descriptor();

/// How an entry lies in a sorted tuple.
struct PackedEntry {
    ScanFactors factors;
    float radius;
    uint32_t nulls;
    uint8_t bytes[FLEXIBLE_ARRAY_MEMBER];  // attribute keys, code, refine code
};

}  // namespace lookalike

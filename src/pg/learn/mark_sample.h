// The marks that a projection is learned from: as many of a query's rows as memory holds, in the
// shared area of the worker that will learn from them.
//
// Which rows are taken, and in what order, is decided by hashes of what they hold. So the same rows
// in any order give the same projection.
#pragma once

#include "core/protocol/worker.h"
#include "pg/type/descriptor.h"
#include "pg/worker/client.h"

namespace lookalike {

/// A mark in the sample.
struct KeptMark {
    uint64 hash;
    uint64 mark;
    uint32 place;  ///< in the shared area
};

/// Lives in the memory context that was current at the first row, as does its worker.
struct MarkSample {
    ProjectionAim aim;
    uint64 memory_bytes;  ///< that sample, worker and result may take
    uint32 dims_out;      ///< asked for; 0: any
    bool whiten;          ///< where there are features alone

    Worker* worker;  ///< null before the first row
    uint32 dims;
    uint64 capacity;  ///< marks
    KeptMark* kept;   ///< a heap, the greatest hash first
    float* row;       ///< room for the points of a mark
    uint64 count;
    uint64 seen;  ///< marks, also those not kept
    uint64 good_count;
    uint64 first_mark;
    bool marks_differ;

    uint32 points() const { return aim == ProjectionAim::kPairs ? 2 : 1; }
    uint64 mark_bytes() const { return uint64{points()} * dims * sizeof(float); }
    char* place_of(uint64 index) const { return worker->shared + index * mark_bytes(); }
};

/// Adds a mark: `second` is used of pairs only. Raises when a row does not fit the others.
void add_mark(MarkSample* sample, const DescriptorView& first, const DescriptorView* second,
              uint64 mark);

/// Learns, and ends the worker. `values` receives rows and offset, palloc'd.
/// REQUIRES: at least one mark.
WorkerProjectionResult learn_from_marks(MarkSample* sample, float** values);

}  // namespace lookalike

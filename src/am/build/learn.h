// The second step of CREATE INDEX: the number of lists and their centroids.
#pragma once

#include "am/build/sample.h"
#include "core/measure/calibrator.h"
#include "pg/worker/client.h"

namespace lookalike {

/// Lives in the build's memory context.
struct LearnedLists {
    uint32 count;             ///< 1: no worker was needed
    IndexShape shape;         ///< of entries and lists; zeros while the dimensions are unknown
    const IndexSpace* space;  ///< null for binary metrics and while the dimensions are unknown
    const float* mean;        ///< shape.dims floats; null for binary metrics and empty tables
    float* centroids;   ///< count x shape.code_dims in index space, zero beyond learn_dims, or -1
                        ///< and 1 for bits; null for a single list of bits
    uint32 learn_dims;  ///< of vectors that the worker sees: the first of code_dims

    uint8_t local_kind;  ///< of local features; 0: unknown

    // For assigning, which uses them up.
    Worker* worker;          ///< with the centroids; null for one list
    Calibrator* calibrator;  ///< with its queries; null for one list and for local features

    bool knows_dims() const { return shape.dims > 0; }
    /// As the worker gets rows to assign, and the centroids for that.
    Kind assign_kind() const { return is_binary(shape.metric) ? Kind::kBit : Kind::kReal; }
    ListGeometry leaf_geometry() const {
        return knows_dims() ? shape.levels[0] : plain_list_geometry();
    }
    const float* centroid(uint32 list) const {
        return centroids == nullptr ? nullptr : centroids + uint64{list} * shape.code_dims;
    }
};

/// Releases the sample's rows.
LearnedLists learn_lists(const BuildJob& job, RowSample* sample);

}  // namespace lookalike

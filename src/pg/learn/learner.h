// k-means of the rows of a partition, in the worker.
#pragma once

#include "core/cluster/kmeans_budget.h"
#include "pg/learn/partition.h"
#include "pg/worker/client.h"

namespace lookalike {

/// Lives in the memory context that was current at start_learner, its worker as long as `function`
/// or shorter: to start one takes longer than small partitions, so these share it.
struct Learner {
    const PartitionRows* rows;
    FmgrInfo* function;  ///< fn_extra is the worker that was kept
    Worker* worker;
    uint64 sample_count;  ///< rows in the shared area, from its start on
    uint64 batch_rows;
    uint64 centroids_offset;
    float* centroids;  ///< count x dims floats, once learned
    uint32 count;

    uint32 dims() const { return rows->form.dims; }
};

/// Starts a worker that can learn up to `most` clusters and has a sample of so many rows.
/// REQUIRES: sample_rows > 0; most > 0.
void start_learner(FmgrInfo* function, const PartitionRows& rows, uint64 sample_rows, uint32 most,
                   Learner* learner);

/// Learns up to `count` clusters. REQUIRES: count is in 1 .. most; no batch has been assigned.
void learn_clusters(Learner* learner, uint32 count);

/// Gives each kept row the cluster whose centroid is nearest. REQUIRES: learn_clusters.
void assign_clusters(Learner* learner);

/// The rows of the sample, dims floats each. REQUIRES: no batch has been assigned.
const float* sampled_rows(const Learner& learner);

/// Ends the worker, or keeps one that takes little memory for the next partition.
void stop_learner(Learner* learner);

/// Ends a worker that was kept where a partition of so many rows wants its memory.
void make_room_for_partition(FmgrInfo* function, int64 row_count);

}  // namespace lookalike

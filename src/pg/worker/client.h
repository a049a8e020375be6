// The backend's side of a worker process: ask, wait, check what comes back.
//
// A request is sent by one call and awaited by another, so that the backend can write pages while
// the worker computes. Waiting is cancellable: any ERROR kills the worker. Whatever the worker
// answers is checked here, on a copy, before a caller sees it; a caller must not read the rest of
// the shared area back as if it were still what it wrote.
//
// Every function may ereport: a worker that died, a refusal, an answer that makes no sense.
#pragma once

#include "core/protocol/worker.h"
#include "pg/worker/process.h"

namespace lookalike {

/// Called after every progress reply with the steps finished and the steps in all. May ereport.
typedef void (*WorkerProgress)(uint64_t step, uint64_t step_count, void* argument);

/// Sends a request and returns. Magic, version and id are filled in here.
/// REQUIRES: no request is in flight.
void worker_request(Worker* worker, WorkerRequest* request);

/// Waits for the final reply to the request in flight and copies it to *reply; an error reply
/// becomes an ERROR. `text` (kWorkerTextBytes + 1 bytes) receives the reply's text, printable ASCII
/// and line ends only, with a closing zero. `text` and `progress` may be null.
void worker_wait(Worker* worker, WorkerReply* reply, char* text, WorkerProgress progress,
                 void* argument);

/// How long a request may take.
struct WorkerPatience {
    int timeout_ms;       ///< by the clock, for all of it
    int step_cpu_ms;      ///< processor time of the worker for each of its steps; 0: as it likes
    uint64_t step_count;  ///< what comes after so many progress replies has no such limit
};

enum class WorkerOutcome {
    kReplied,
    kTimedOut,  ///< timeout_ms have passed, and the worker was killed
    kSlowStep,  ///< it was killed for a step that takes more than step_cpu_ms
};

/// The same, but an error reply is returned like any other, and patience has an end. `text` is
/// required; `steps_done` counts progress replies, also when this ends with an ERROR.
WorkerOutcome worker_await(Worker* worker, const WorkerPatience* patience, WorkerReply* reply,
                           char* text, uint64_t* steps_done);

struct WorkerTraining {
    uint64_t rows_offset;       ///< row_count x dims floats that the caller has put there
    uint64_t centroids_offset;  ///< room for list_count x dims floats
    uint64_t row_count;
    uint32_t list_count;
    uint32_t dims;
    uint32_t iteration_count;
    LearnAim aim = LearnAim::kLists;
};

/// Learns centroids from rows in the shared area; copies them, all finite, to `centroids`
/// (list_count x dims floats) and returns how many there are: fewer than wanted when the rows have
/// fewer distinct values.
uint32_t worker_train(Worker* worker, const WorkerTraining* training, float* centroids,
                      WorkerProgress progress, void* argument);

/// Centroids to assign to.
struct WorkerCentroids {
    uint64_t offset;  ///< list_count rows, worker_row_bytes() each, that the caller has put there
    uint32_t list_count;
    uint32_t dims;
    Kind kind;  ///< real or bit
};

/// Gives them to the worker; their place is free to be overwritten afterwards.
void worker_set_centroids(Worker* worker, const WorkerCentroids* centroids);

/// A batch of rows on its way through the worker. With two of them in two halves of the shared area
/// the backend works on one while the worker assigns the other.
struct WorkerBatch {
    uint64_t rows_offset;       ///< row_count rows, worker_row_bytes() each, that the caller has
                                ///< put there
    uint64_t list_ids_offset;   ///< room for row_count uint32_t
    uint64_t distances_offset;  ///< room for row_count floats
    uint64_t row_count;
    uint32_t dims;
    Kind kind;  ///< real or bit
};

/// A batch with room for so many rows in half `which`, 0 or 1, of the area's beginning: half 1 ends
/// where a third would begin.
WorkerBatch worker_batch(int which, uint64_t room_for_rows, uint32_t dims, Kind kind);

/// REQUIRES: worker_set_centroids with the same dims and kind; no request is in flight.
void worker_assign_begin(Worker* worker, const WorkerBatch* batch);

/// Waits for the batch of the last worker_assign_begin, and copies the nearest centroid of each row
/// (below list_count) and the squared L2 distance to it (finite, not negative); of bits,
/// how many differ.
void worker_assign_end(Worker* worker, const WorkerBatch* batch, uint32_t* list_ids,
                       float* distances);

/// What a projection is learned from. The caller has put points, row_count of them or twice as
/// many, and marks into the shared area; see core/protocol/worker.h.
struct WorkerProjectionTraining {
    uint64_t points_offset;
    uint64_t marks_offset;
    uint64_t result_offset;
    uint64_t mark_count;
    uint32_t dims;
    uint32_t dims_out;  ///< 0: as the worker likes
    ProjectionAim aim;
};

/// Bytes that the result takes in the shared area.
uint64_t worker_projection_result_bytes(uint32_t dims);

/// Learns a projection. The result's header is returned; its (dims + 1) x dims_out floats, all
/// finite, are copied to `values`, which has room for as many as the result may have.
WorkerProjectionResult worker_train_projection(Worker* worker,
                                               const WorkerProjectionTraining* training,
                                               float* values);

/// What a codebook is learned from. The caller has put ranges and values of local features into the
/// shared area; see core/protocol/worker.h.
struct WorkerCodebookTraining {
    WorkerCodebookRequest request;
    WorkerProgress progress;  ///< may be null
    void* argument;
};

/// Learns a codebook: its bytes, checked, palloc'd, of `byte_count`.
void* worker_train_codebook(Worker* worker, const WorkerCodebookTraining* training,
                            uint64_t* byte_count);

/// One line for each library of the worker, palloc'd.
char* worker_versions(Worker* worker);

}  // namespace lookalike

// A worker process and the memory that it shares with this backend: start, end, and nothing
// between.
#pragma once

extern "C" {
#include "postgres.h"
#include "utils/resowner.h"
}

#include "core/vector/element.h"

namespace lookalike {

struct WorkerLimits {
    uint64 shared_bytes;         ///< size of the shared area, allocated at once
    int thread_count;            ///< threads of BLAS and OpenMP each
    uint64 memory_budget_bytes;  ///< what the worker may allocate beyond its libraries
    int idle_ms = 0;             ///< it ends after so long without a request; 0: never
    /// Fork it from the warm parent, if there is one, and let lookalike.max_workers count it.
    bool is_image_worker = false;
};

/// Lives in the memory context that was current at worker_start. To be read by worker_client only.
struct Worker {
    WorkerLimits limits;
    char* shared;  ///< null before and after the worker's life
    pid_t pid;     ///< 0: no process
    int socket;    ///< -1: closed
    int worker_socket;
    int shared_fd;
    bool external_fd;     ///< counted by AcquireExternalFD
    int lease;            ///< connection to the warm parent, whose child it is; -1: our own child
    uint64 warm_id;       ///< the warm parent's number of it
    bool has_turn;        ///< counted by lookalike.max_workers
    double turn_wait_ms;  ///< time until that was so
    ResourceOwner owner;  ///< null: the session
    Worker* next;
    uint64 request_id;
    bool request_in_flight;
    uint16 request_kind;
    uint32 list_count;  ///< of the centroids that the worker holds
    uint32 dims;
    Kind kind;
};

/// Starts a worker. It ends with worker_stop, with the current memory context or with the current
/// resource owner, whichever comes first; an ERROR therefore never leaves a process behind.
/// An image worker may have to wait for its turn. REQUIRES: shared_bytes > 0, thread_count > 0.
Worker* worker_start(const WorkerLimits* limits);

/// From now on the worker outlives statements: it ends with worker_stop, with the memory context
/// that was current at worker_start, with the backend, or when a transaction is aborted while a
/// request is in flight.
void worker_keep(Worker* worker);

/// The shared area: limits.shared_bytes bytes, zeroed at the start, page-aligned.
void* worker_shared(Worker* worker);

/// Whether it lives and has at least what these limits ask for.
bool worker_suffices(const Worker* worker, const WorkerLimits* limits);

/// Kills the process, waits for its end (not for that of a warm parent that is busy), and gives
/// back descriptor and shared area. Idempotent; never fails. Returns the wait status of the
/// process: 0 when there was none, kUnknownWaitStatus when nobody can tell.
int worker_stop(Worker* worker);

/// Starts the warm parent as a child of this process. It takes connections at `listener` and keeps
/// up to model_bytes of networks. May ereport.
pid_t start_warm_parent(int listener, uint64 model_bytes);

}  // namespace lookalike

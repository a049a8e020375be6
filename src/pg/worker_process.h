// A worker process and the memory that it shares with this backend: start, end, and nothing
// between.
#pragma once

extern "C" {
#include "postgres.h"
#include "utils/resowner.h"
}

namespace lookalike {

struct WorkerLimits {
    uint64 shared_bytes;         ///< size of the shared area, allocated at once
    int thread_count;            ///< threads of BLAS and OpenMP each
    uint64 memory_budget_bytes;  ///< what the worker may allocate beyond its libraries
    int idle_ms = 0;             ///< it ends after so long without a request; 0: never
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
    ResourceOwner owner;  ///< null: the session
    Worker* next;
    uint64 request_id;
    bool request_in_flight;
    uint16 request_kind;
    uint32 list_count;  ///< of the centroids that the worker holds
    uint32 dims;
};

/// Starts a worker. It ends with worker_stop, with the current memory context or with the current
/// resource owner, whichever comes first; an ERROR therefore never leaves a process behind.
/// REQUIRES: shared_bytes > 0, thread_count > 0.
Worker* worker_start(const WorkerLimits* limits);

/// From now on the worker outlives statements: it ends with worker_stop, with the memory context
/// that was current at worker_start, with the backend, or when a transaction is aborted while a
/// request is in flight.
void worker_keep(Worker* worker);

/// The shared area: limits.shared_bytes bytes, zeroed at the start, page-aligned.
void* worker_shared(Worker* worker);

/// Kills the process, waits for its end, and gives back descriptor and shared area. Idempotent;
/// never fails. Returns the wait status of the process (0 when there was none).
int worker_stop(Worker* worker);

}  // namespace lookalike

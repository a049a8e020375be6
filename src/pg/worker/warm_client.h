// The backend's side of the warm parent: docs/WORKER.md.
#pragma once

#include "core/protocol/worker.h"
#include "pg/worker/process.h"

namespace lookalike {

/// Where the warm parent listens, relative to the data directory. The folder exists for files that
/// are worth nothing after a restart; base backups leave it out.
constexpr char kWarmSocketPath[] = "pg_stat_tmp/lookalike.sock";

/// Has the warm parent fork the process of a worker whose sockets and shared area are there, after
/// it has ended the worker `ended_worker` (0: none). False when there is no parent, or it does not
/// answer: then the sockets may have two owners and must not be used. May ereport.
bool warm_fork(Worker* worker, uint64 ended_worker);

constexpr int kUnknownWaitStatus = -1;

/// Ends the worker of a lease and closes it; takes 0.1 s at most, or 1 s when the worker `has_died`
/// and how is of interest. Returns its wait status, kUnknownWaitStatus when the parent does not
/// tell. Never fails.
int warm_end(int lease, bool has_died);

/// Loads a network into the warm parent: processes forked from now on have it. Returns the
/// milliseconds that loading took there. May ereport.
double warm_preload(const WorkerModelConfig* config, const void* onnx, uint64 byte_count);

}  // namespace lookalike

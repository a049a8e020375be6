// What SQL is told of a worker that answers with an error: one row of a table for each.
#pragma once

#include "pg/server.h"

#include "core/protocol/worker.h"

namespace lookalike {

/// Whether a worker that answered so can go on: what was asked was at fault, not what it has
/// become.
bool is_sound_after(WorkerError error);

/// Raises what the error amounts to. `text` is what the worker says, printable ASCII, or null to
/// leave it out; `memory_hint` tells which setting gives it more memory.
[[noreturn]] void raise_worker_failure(WorkerError error, const char* text,
                                       const char* memory_hint);

}  // namespace lookalike

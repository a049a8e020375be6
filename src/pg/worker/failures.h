// What SQL is told of a worker that answers with an error: one row of a table for each.
#pragma once

#include "pg/server.h"

#include "core/protocol/worker.h"

namespace lookalike {

/// Whether a worker that answered so can go on: what was asked was at fault, not what it has
/// become.
bool is_sound_after(WorkerError error);

/// Whether the image is at fault, whatever else goes on.
bool blames_image(WorkerError error);

/// Raises what the error amounts to. `text` is what the worker says, printable ASCII, or null to
/// leave it out; `memory_hint` tells which setting gives it more memory; `better_hint`, if any,
/// stands in place of the table's.
[[noreturn]] void raise_worker_failure(WorkerError error, const char* text, const char* memory_hint,
                                       const char* better_hint = nullptr);

}  // namespace lookalike

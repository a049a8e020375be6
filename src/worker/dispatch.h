// The worker's loop: a request in, its answer out, until the backend hangs up.
#pragma once

#include "core/no_postgres.h"
#include "image/model_store.h"
#include "worker/channel.h"

namespace lookalike {

/// Returns when the backend has closed the connection. A request that fails is answered with an
/// error reply, and the loop goes on. memory_bytes is what images and networks may take;
/// `preloaded` may be null.
void serve_requests(Channel& channel, const SharedArea& shared, uint64_t memory_bytes,
                    ModelStore* preloaded);

/// What a worker does once its libraries are warm: limits itself to baseline_bytes, which it has
/// taken by now, the shared area and budget_bytes; enters the sandbox and serves the backend behind
/// kWorkerSocketFd and kWorkerSharedFd. idle_ms as Channel takes it. Throws std::system_error when
/// it cannot lock itself in.
void serve_backend(uint64_t baseline_bytes, uint64_t budget_bytes, int idle_ms,
                   ModelStore* preloaded);

}  // namespace lookalike

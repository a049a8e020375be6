// The worker's loop: a request in, its answer out, until the backend hangs up.
#pragma once

#include "core/no_postgres.h"
#include "worker/channel.h"

namespace lookalike {

/// Returns when the backend has closed the connection. A request that fails is answered with an
/// error reply, and the loop goes on. Loaded networks are kept up to model_bytes.
void serve_requests(Channel& channel, const SharedArea& shared, uint64_t model_bytes);

}  // namespace lookalike

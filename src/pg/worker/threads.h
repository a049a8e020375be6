// How many threads a worker may have that learns.
#pragma once

#include "pg/server.h"

#include <unistd.h>
#include <algorithm>

namespace lookalike {

/// Threads of a worker that builds an index or finds clusters.
inline int learning_thread_count() {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return static_cast<int>(
        std::clamp<long>(max_parallel_maintenance_workers + 1, 1, std::max(cores, 1L)));
}

}  // namespace lookalike

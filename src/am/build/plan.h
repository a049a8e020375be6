// What the plan of a build takes from the settings of the session and from the machine.
#pragma once

#include "pg/server.h"

#include <unistd.h>
#include <algorithm>

#include "core/build/build_plan.h"

namespace lookalike {

/// Of maintenance_work_mem.
inline BuildBudget build_budget() {
    return BuildBudget(static_cast<uint64>(maintenance_work_mem) * 1024);
}

/// Threads of the worker.
inline int build_thread_count() {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return static_cast<int>(
        std::clamp<long>(max_parallel_maintenance_workers + 1, 1, std::max(cores, 1L)));
}

}  // namespace lookalike

// What the plan of a build takes from the settings of the session.
#pragma once

#include "pg/server.h"

#include "core/build/build_plan.h"

namespace lookalike {

/// Of maintenance_work_mem.
inline BuildBudget build_budget() {
    return BuildBudget(static_cast<uint64>(maintenance_work_mem) * 1024);
}

}  // namespace lookalike

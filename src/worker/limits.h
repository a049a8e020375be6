// What the worker may use of the machine.
#pragma once

#include <cstdint>

#include "core/no_postgres.h"

namespace lookalike {

/// Makes OpenMP and BLAS start their threads and take their buffers now: both end the process when
/// they fail to do so later under the memory limit.
void warm_up_libraries();

/// Limits this process's address space to what it has now plus budget_bytes. An allocation beyond
/// throws std::bad_alloc. Throws std::system_error.
void limit_memory(uint64_t budget_bytes);

}  // namespace lookalike

// The process that image workers are forked from: its libraries are warm, and networks loaded.
#pragma once

#include <cstdint>

#include "core/no_postgres.h"

namespace lookalike {

/// Answers WarmRequests on the listening socket kWorkerSocketFd for ever; keeps up to model_bytes
/// of networks. Throws when it cannot go on, and at once when the process has a second thread:
/// children forked from it could hang.
/// REQUIRES: warm_up_images(), and that neither OpenMP nor BLAS has run.
[[noreturn]] void run_warm_parent(uint64_t model_bytes);

}  // namespace lookalike

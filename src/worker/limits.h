// What the worker may use of the machine.
#pragma once

#include <cstdint>

#include "core/no_postgres.h"
#include "worker/file_descriptor.h"

namespace lookalike {

/// Makes OpenMP and BLAS start their threads and take their buffers now: both end the process when
/// they fail to do so later under the memory limit.
void warm_up_libraries();

/// Tells how much address space this process has taken, also inside a sandbox that was entered
/// later: its file stays open. Throws std::system_error.
class AddressSpace {
  public:
    AddressSpace();
    uint64_t taken_bytes() const;

  private:
    FileDescriptor file_;
};

/// Limits this process's address space. An allocation beyond throws std::bad_alloc. Throws
/// std::system_error.
void limit_memory(uint64_t limit_bytes);

}  // namespace lookalike

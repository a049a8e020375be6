// The walls around a worker that reads strangers' bytes. docs/SANDBOX.md says what they stop.
#pragma once

#include "core/no_postgres.h"

namespace lookalike {

/// Leaves the process nothing open but its socket, and /dev/null as 0, 1 and 2. What it has mapped
/// stays mapped. Throws std::system_error.
void close_descriptors();

/// From now on no thread of the process can open a file or a socket, start or signal a process, or
/// make memory executable; such system calls fail with EPERM. Threads can still be started, memory
/// taken, and messages exchanged on kWorkerSocketFd. There is no way back.
/// REQUIRES: every library has loaded what it loads. Throws std::system_error.
void enter_sandbox();

/// The walls around a warm parent: inside them it can still accept connections on kWorkerSocketFd,
/// exchange messages and descriptors, fork, and kill. It can open no file or socket, start no
/// program and no thread, send no other signal, and make no memory executable; such system calls
/// fail with EPERM. A child that it forks enters its own sandbox inside of this one.
/// REQUIRES: one thread, and every library has loaded what it loads. Throws std::system_error.
void enter_parent_sandbox();

}  // namespace lookalike

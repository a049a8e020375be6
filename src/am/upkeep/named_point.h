// Steps that have a name, so that a test can end or delay a process just there.
//
// If the server's environment names a folder in LOOKALIKE_STOP_AT when the library is loaded, a
// process that comes to NAME looks for a file of that name there:
//
//   "kill 3"  where it comes there for the third time it removes the file, writes out its WAL and
//             ends by SIGKILL
//   "wait"    it waits while the file is there, a minute at most; it can be cancelled
#pragma once

#include <cstdlib>

namespace lookalike {

inline const char* const stop_folder = std::getenv("LOOKALIKE_STOP_AT");

void stop_at_point(const char* name);

/// Nothing unless the environment says so. A process that waits keeps the locks that it has.
inline void named_point(const char* name) {
    if (stop_folder != nullptr) stop_at_point(name);
}

}  // namespace lookalike

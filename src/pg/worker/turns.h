// A bound on image workers over all sessions, with shared_preload_libraries: docs/WORKER.md.
//
// A session has a turn while it has an image worker. Without the table in shared memory every call
// here is a no-op that says yes.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Asks for the table's memory. REQUIRES: called while shared_preload_libraries are loaded.
void request_turn_table();

/// True when the library was preloaded, so that there should be a warm parent as well.
bool turns_are_counted();

/// Waits for a turn, and marks it busy. Returns the warm worker that has to be ended before
/// another is started, 0 if none. Whatever happens, end_turn() has to follow, at the latest when
/// the backend exits. May ereport.
uint64 take_turn();

/// Which process works in this turn; warm_id is 0 for a child of this backend.
void set_turn_worker(int pid, uint64 warm_id);

/// The worker waits for its next request: others may have its turn taken.
void pause_turn();

/// Marks the turn busy again. False when it is over: it was taken, or others have waited for long.
bool resume_turn();

/// Gives the turn back; never fails. To be called when the worker's process has ended, but before
/// this backend reaps it.
void end_turn();

}  // namespace lookalike

// What shared_preload_libraries = 'lookalike' adds to the server: docs/WORKER.md.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Registers the background worker that keeps the warm parent, and the bound on image workers.
/// Does nothing in a library that a session loads. REQUIRES: the settings are defined.
void set_up_warm_start();

}  // namespace lookalike

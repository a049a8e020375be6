// Networks that the database's owner has registered.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Reads the network `key` ("name@version") from the table beside `function` and loads it into the
/// session's worker. Raises ERRCODE_UNDEFINED_OBJECT when it is not registered.
void load_registered_model(const char* key, Oid function);

/// Loads the network `key` of this database into the warm parent; returns the milliseconds that it
/// took there.
double preload_registered_model(const char* key);

/// Drops what this session has loaded and cached when the table has changed since.
void forget_changed_models();

}  // namespace lookalike

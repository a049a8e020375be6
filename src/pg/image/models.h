// Networks that the database's owner has registered.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// SHA-256 of all networks of this database, with names, settings and digests of their files. Valid
/// until the next call.
const uint8* registered_networks();

/// Reads the network `key` ("name@version") and loads it into the session's worker. Raises
/// ERRCODE_UNDEFINED_OBJECT when it is not registered.
void load_registered_model(const char* key);

/// Loads the network `key` of this database into the warm parent; returns the milliseconds that it
/// took there.
double preload_registered_model(const char* key);

/// False when networks may have changed since the session asked for registered_networks(): what a
/// worker computed with them must not be kept under that digest.
bool models_are_as_known();

/// Ends the worker, with the networks in it, and drops what is known of them when they have
/// changed.
void forget_changed_models();

}  // namespace lookalike

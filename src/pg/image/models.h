// Networks that the database's owner has registered.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Reads the network `key` ("name@version", "text:name@version" for one of texts,
/// "codebook:name@version" for a codebook) and loads it into the session's worker. Raises
/// ERRCODE_UNDEFINED_OBJECT when it is not registered.
void load_registered_model(const char* key);

/// Loads the networks `key` ("name@version") of pictures and of texts, and the codebook, of this
/// database into the warm parent; returns the milliseconds that it took there.
double preload_registered_model(const char* key);

/// Ends the worker, with the networks in it, and drops what is known of them when they have
/// changed.
void forget_changed_models();

}  // namespace lookalike

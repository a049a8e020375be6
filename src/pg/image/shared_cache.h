// Descriptors that any session has extracted, in shared memory: docs/WORKER.md, "The cache".
// Without shared_preload_libraries nothing is found and nothing is kept.
#pragma once

#include "pg/image/cache.h"

namespace lookalike {

/// Asks for the memory, if the library is being loaded with the server. Called by _PG_init.
void prepare_shared_cache();

/// A palloc'd copy, or null.
varlena* find_shared_features(const ImageKey& key);

/// Keeps a copy; the oldest ones make room.
void share_features(const ImageKey& key, const varlena* features);

}  // namespace lookalike

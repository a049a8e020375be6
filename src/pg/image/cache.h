// Features that have been extracted before, descriptors and local ones: docs/WORKER.md, "The
// cache". The executor evaluates the same expression again and again: an ORDER BY argument at every
// recheck, every stored generated column of a table whose rows a trigger may change.
#pragma once

#include "pg/server.h"
#include "pg/sha256.h"

#include "core/protocol/worker.h"

namespace lookalike {

/// Stands for everything that features depend on, and for who may have it: SHA-256.
struct ImageKey {
    uint8 digest[kSha256Bytes];
};

/// `kind` is what is asked of the worker: its kinds have specifications of their own. `networks` is
/// what registry_digest() gives, or null for a specification that names nothing of it.
ImageKey image_key(WorkerKind kind, const void* image, size_t image_bytes, const char* spec,
                   size_t spec_bytes, const uint8* networks);

/// A palloc'd copy, or null.
varlena* find_cached_features(const ImageKey& key);

/// Keeps a copy in this session, and drops the least recently used beyond
/// lookalike.image_cache_size; keeps another one for the other sessions, if they share a cache.
void cache_features(const ImageKey& key, const varlena* features);

struct ImageCacheStats {
    int64 hits;
    int64 misses;
    int64 entries;
    int64 bytes;
};
ImageCacheStats image_cache_stats();

}  // namespace lookalike

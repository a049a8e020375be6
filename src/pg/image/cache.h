// Descriptors of images that this session has extracted before. The executor evaluates the same
// expression again and again: an ORDER BY argument at every recheck.
#pragma once

#include "pg/type/descriptor.h"

namespace lookalike {

/// Stands for specification and image: two 64-bit hashes with seeds of this session, and lengths.
struct ImageKey {
    uint64 first_hash;
    uint64 second_hash;
    uint64 image_bytes;
    uint64 spec_bytes;
};

ImageKey image_key(const void* image, size_t image_bytes, const char* spec, size_t spec_bytes);

/// A palloc'd copy, or null.
Descriptor* find_cached_features(const ImageKey& key);

/// Keeps a copy, and drops the least recently used beyond lookalike.image_cache_size.
void cache_features(const ImageKey& key, const Descriptor* features);

void clear_image_cache();

struct ImageCacheStats {
    int64 hits;
    int64 misses;
    int64 entries;
    int64 bytes;
};
ImageCacheStats image_cache_stats();

}  // namespace lookalike

#include "pg/image/cache.h"

#include "pg/image/settings.h"

extern "C" {
#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

struct Entry {
    ImageKey key;  // first: the hash table's rule
    dlist_node node;
    Descriptor* features;
};

/// What an entry takes beside its descriptor: itself, its part of the table, palloc's headers.
constexpr uint64 kEntryBytes = sizeof(Entry) + 64;

struct Cache {
    MemoryContext context;
    HTAB* table;
    dlist_head by_use;  // most recently used first
    ImageCacheStats stats;
    uint64 seeds[2];
};
Cache cache;

void create_cache() {
    cache.context =
        AllocSetContextCreate(TopMemoryContext, "lookalike image cache", ALLOCSET_DEFAULT_SIZES);
    HASHCTL control = {};
    control.keysize = sizeof(ImageKey);
    control.entrysize = sizeof(Entry);
    control.hcxt = cache.context;
    dlist_init(&cache.by_use);
    cache.table =
        hash_create("lookalike image cache", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

uint64 bytes_of(const Descriptor* features) {
    return VARSIZE(features) + kEntryBytes;
}

void drop(Entry* entry) {
    dlist_delete(&entry->node);
    cache.stats.bytes -= static_cast<int64>(bytes_of(entry->features));
    --cache.stats.entries;
    pfree(entry->features);
    hash_search(cache.table, &entry->key, HASH_REMOVE, nullptr);
}

/// PostgreSQL's own macro for this is C only.
Entry* entry_of(dlist_node* node) {
    return reinterpret_cast<Entry*>(reinterpret_cast<char*>(node) - offsetof(Entry, node));
}

void shrink_to(uint64 byte_count) {
    while (static_cast<uint64>(cache.stats.bytes) > byte_count)
        drop(entry_of(dlist_tail_node(&cache.by_use)));
}

uint64 hash_of(const void* bytes, size_t byte_count, uint64 seed) {
    return hash_bytes_extended(static_cast<const unsigned char*>(bytes),
                               static_cast<int>(byte_count), seed);
}

}  // namespace

ImageKey image_key(const void* image, size_t image_bytes, const char* spec, size_t spec_bytes) {
    // Random, so that nobody can prepare two images that are taken for one.
    if (cache.seeds[0] == 0 && !pg_strong_random(cache.seeds, sizeof(cache.seeds)))
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random numbers")));
    uint64 hashes[2];
    for (int i = 0; i < 2; ++i)
        hashes[i] = hash_of(image, image_bytes, hash_of(spec, spec_bytes, cache.seeds[i]));
    return {hashes[0], hashes[1], image_bytes, spec_bytes};
}

Descriptor* find_cached_features(const ImageKey& key) {
    Entry* entry = nullptr;
    if (cache.table != nullptr)
        entry = static_cast<Entry*>(hash_search(cache.table, &key, HASH_FIND, nullptr));
    if (entry == nullptr) {
        ++cache.stats.misses;
        return nullptr;
    }
    ++cache.stats.hits;
    dlist_move_head(&cache.by_use, &entry->node);
    auto* copy = static_cast<Descriptor*>(palloc(VARSIZE(entry->features)));
    memcpy(copy, entry->features, VARSIZE(entry->features));
    return copy;
}

void cache_features(const ImageKey& key, const Descriptor* features) {
    const uint64 room = image_cache_bytes();
    if (cache.table != nullptr) shrink_to(room);
    if (bytes_of(features) > room) return;
    if (cache.table == nullptr) create_cache();
    shrink_to(room - bytes_of(features));
    // Before the entry, so that an ERROR leaves none without features.
    auto* copy = static_cast<Descriptor*>(MemoryContextAlloc(cache.context, VARSIZE(features)));
    memcpy(copy, features, VARSIZE(features));
    bool found;
    auto* entry = static_cast<Entry*>(hash_search(cache.table, &key, HASH_ENTER, &found));
    if (found) {
        pfree(copy);
        return;
    }
    entry->features = copy;
    dlist_push_head(&cache.by_use, &entry->node);
    cache.stats.bytes += static_cast<int64>(bytes_of(copy));
    ++cache.stats.entries;
}

void clear_image_cache() {
    if (cache.table != nullptr) shrink_to(0);
}

ImageCacheStats image_cache_stats() {
    return cache.stats;
}

}  // namespace lookalike

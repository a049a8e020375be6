#include "pg/image/cache.h"

#include "pg/image/settings.h"
#include "pg/image/shared_cache.h"

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
    varlena* features;
};

/// What an entry takes beside its descriptor: itself, its part of the table, palloc's headers.
constexpr uint64 kEntryBytes = sizeof(Entry) + 64;

struct Cache {
    MemoryContext context;
    HTAB* table;
    dlist_head by_use;  // most recently used first
    ImageCacheStats stats;
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

uint64 bytes_of(const varlena* features) {
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

varlena* find_in_session(const ImageKey& key) {
    if (cache.table == nullptr) return nullptr;
    auto* entry = static_cast<Entry*>(hash_search(cache.table, &key, HASH_FIND, nullptr));
    if (entry == nullptr) return nullptr;
    dlist_move_head(&cache.by_use, &entry->node);
    auto* copy = static_cast<varlena*>(palloc(VARSIZE(entry->features)));
    memcpy(copy, entry->features, VARSIZE(entry->features));
    return copy;
}

void keep_in_session(const ImageKey& key, const varlena* features) {
    const uint64 room = image_cache_bytes();
    if (cache.table != nullptr) shrink_to(room);
    if (bytes_of(features) > room) return;
    if (cache.table == nullptr) create_cache();
    shrink_to(room - bytes_of(features));
    // Before the entry, so that an ERROR leaves none without features.
    auto* copy = static_cast<varlena*>(MemoryContextAlloc(cache.context, VARSIZE(features)));
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

/// What comes before the image. Of fixed size, so that equal bytes mean equal parts.
struct KeyStart {
    uint64 spec_bytes;
    uint64 max_pixels;
    Oid database;
    Oid user;
    uint8 networks[kSha256Bytes];
    uint32 kind;
    uint32 padding;
};

}  // namespace

ImageKey image_key(WorkerKind kind, const void* image, size_t image_bytes, const char* spec,
                   size_t spec_bytes, const uint8* networks) {
    KeyStart start = {.spec_bytes = spec_bytes,
                      .max_pixels = max_image_pixels(),
                      .database = MyDatabaseId,
                      .user = GetUserId(),
                      .networks = {},
                      .kind = static_cast<uint32>(kind),
                      .padding = 0};
    if (networks != nullptr) memcpy(start.networks, networks, sizeof(start.networks));
    ImageKey key;
    const HashedPiece pieces[] = {
        {&start, sizeof(start)}, {spec, spec_bytes}, {image, image_bytes}};
    sha256(pieces, lengthof(pieces), key.digest);
    return key;
}

varlena* find_cached_features(const ImageKey& key) {
    varlena* features = find_in_session(key);
    if (features == nullptr) features = find_shared_features(key);
    ++(features != nullptr ? cache.stats.hits : cache.stats.misses);
    return features;
}

void cache_features(const ImageKey& key, const varlena* features) {
    keep_in_session(key, features);
    share_features(key, features);
}

ImageCacheStats image_cache_stats() {
    return cache.stats;
}

}  // namespace lookalike

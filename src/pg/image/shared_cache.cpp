#include "pg/image/shared_cache.h"

#include "pg/image/settings.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
}

namespace lookalike {
namespace {

constexpr char kName[] = "lookalike image cache";
/// Of smaller descriptors the table of places would take more than they do.
constexpr uint64 kBytesAnEntry = 1024;

/// A descriptor in the ring, which follows.
struct Record {
    ImageKey key;
    uint64 byte_count;  ///< of the descriptor; 0: nothing but the rest of the ring
};

/// Positions count bytes from the beginning of time, so that the oldest record is easily told;
/// their place in the ring is the remainder.
struct Ring {
    LWLock* lock;  ///< shared to find, exclusive to change
    uint64 ring_bytes;
    uint64 entry_limit;
    uint64 entry_count;
    uint64 oldest;
    uint64 next;
    alignas(MAXIMUM_ALIGNOF) char bytes[FLEXIBLE_ARRAY_MEMBER];
};

struct Place {
    ImageKey key;  // first: the hash table's rule
    uint64 position;
};

Ring* ring = nullptr;
HTAB* places = nullptr;
shmem_startup_hook_type next_startup_hook = nullptr;

uint64 entry_limit() {
    return Max(shared_cache_bytes() / kBytesAnEntry, 1);
}

Size table_bytes() {
    return hash_estimate_size(static_cast<long>(entry_limit()), sizeof(Place));
}

/// The table's part included, so that the setting is what is taken.
Size ring_bytes() {
    return MAXALIGN_DOWN(shared_cache_bytes() - Min(table_bytes(), shared_cache_bytes() / 2));
}

void request_memory() {
    if (shared_cache_bytes() == 0) return;
    RequestAddinShmemSpace(add_size(add_size(offsetof(Ring, bytes), ring_bytes()), table_bytes()));
    RequestNamedLWLockTranche(kName, 1);
}

void create() {
    if (next_startup_hook) next_startup_hook();
    if (shared_cache_bytes() == 0) return;
    bool found;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    ring = static_cast<Ring*>(ShmemInitStruct(kName, offsetof(Ring, bytes) + ring_bytes(), &found));
    if (!found) {
        ring->lock = &GetNamedLWLockTranche(kName)->lock;
        ring->ring_bytes = ring_bytes();
        ring->entry_limit = entry_limit();
        ring->entry_count = ring->oldest = ring->next = 0;
    }
    HASHCTL control = {};
    control.keysize = sizeof(ImageKey);
    control.entrysize = sizeof(Place);
    places = ShmemInitHash("lookalike image cache places", static_cast<long>(ring->entry_limit),
                           static_cast<long>(ring->entry_limit), &control, HASH_ELEM | HASH_BLOBS);
    LWLockRelease(AddinShmemInitLock);
}

Record* record_at(uint64 position) {
    return reinterpret_cast<Record*>(ring->bytes + position % ring->ring_bytes);
}

uint64 bytes_to_the_end(uint64 position) {
    return ring->ring_bytes - position % ring->ring_bytes;
}

uint64 record_bytes(uint64 descriptor_bytes) {
    return MAXALIGN(sizeof(Record) + descriptor_bytes);
}

/// REQUIRES: the lock; that there is a record.
void drop_oldest() {
    // Too little for a record: nothing is there.
    if (bytes_to_the_end(ring->oldest) < sizeof(Record)) {
        ring->oldest += bytes_to_the_end(ring->oldest);
        return;
    }
    const Record* record = record_at(ring->oldest);
    if (record->byte_count == 0) {
        ring->oldest += bytes_to_the_end(ring->oldest);
        return;
    }
    hash_search(places, &record->key, HASH_REMOVE, nullptr);
    --ring->entry_count;
    ring->oldest += record_bytes(record->byte_count);
}

void make_room(uint64 byte_count) {
    while (ring->next + byte_count - ring->oldest > ring->ring_bytes)
        drop_oldest();
}

/// Records lie in one piece: one that would not leaves the rest of the ring empty.
void skip_to_the_start() {
    const uint64 rest = bytes_to_the_end(ring->next);
    make_room(rest);
    if (rest >= sizeof(Record)) record_at(ring->next)->byte_count = 0;
    ring->next += rest;
}

void append(const ImageKey& key, const varlena* features) {
    const uint64 needed = record_bytes(VARSIZE(features));
    if (bytes_to_the_end(ring->next) < needed) skip_to_the_start();
    make_room(needed);
    while (ring->entry_count >= ring->entry_limit)
        drop_oldest();
    auto* place = static_cast<Place*>(hash_search(places, &key, HASH_ENTER_NULL, nullptr));
    if (place == nullptr) return;
    place->position = ring->next;
    Record* record = record_at(ring->next);
    record->key = key;
    record->byte_count = VARSIZE(features);
    memcpy(record + 1, features, VARSIZE(features));
    ring->next += needed;
    ++ring->entry_count;
}

}  // namespace

void prepare_shared_cache() {
    if (!process_shared_preload_libraries_in_progress) return;
    on_shared_memory_request<request_memory>();
    next_startup_hook = shmem_startup_hook;
    shmem_startup_hook = create;
}

varlena* find_shared_features(const ImageKey& key) {
    if (ring == nullptr) return nullptr;
    varlena* copy = nullptr;
    LWLockAcquire(ring->lock, LW_SHARED);
    const auto* place = static_cast<const Place*>(hash_search(places, &key, HASH_FIND, nullptr));
    if (place != nullptr) {
        const Record* record = record_at(place->position);
        copy = static_cast<varlena*>(palloc(record->byte_count));
        memcpy(copy, record + 1, record->byte_count);
    }
    LWLockRelease(ring->lock);
    return copy;
}

void share_features(const ImageKey& key, const varlena* features) {
    // A quarter at most, so that one descriptor does not drop all others.
    if (ring == nullptr || record_bytes(VARSIZE(features)) > ring->ring_bytes / 4) return;
    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    if (hash_search(places, &key, HASH_FIND, nullptr) == nullptr) append(key, features);
    LWLockRelease(ring->lock);
}

}  // namespace lookalike

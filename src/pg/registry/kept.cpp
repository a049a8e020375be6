#include "pg/registry/kept.h"

#include <cstring>

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

constexpr int kKeptRows = 8;
constexpr size_t kMaxKeyBytes = 96;

/// One that has been read.
struct Kept {
    MemoryContext context;  ///< null: a free place
    const KeptKind* kind;
    char key[kMaxKeyBytes];
    size_t key_bytes;
    void* made;
    uint64 changes;  ///< of the registry, before it was read
    uint64 last_used;
};
Kept kept_rows[kKeptRows];
uint64 uses = 0;

void forget(Kept* kept) {
    if (kept->context != nullptr) MemoryContextDelete(kept->context);
    kept->context = nullptr;
}

Kept* find_kept(const KeptKind& kind, const char* key, size_t key_bytes) {
    for (Kept& kept : kept_rows) {
        if (kept.context == nullptr || kept.kind != &kind || kept.key_bytes != key_bytes ||
            memcmp(kept.key, key, key_bytes) != 0)
            continue;
        if (kept.changes == registry_changes()) return &kept;
        forget(&kept);
    }
    return nullptr;
}

Kept* place_for_one() {
    Kept* oldest = &kept_rows[0];
    for (Kept& kept : kept_rows) {
        if (kept.context == nullptr) return &kept;
        if (kept.last_used < oldest->last_used) oldest = &kept;
    }
    forget(oldest);
    return oldest;
}

struct Reading {
    const KeptKind* kind;
    void* made;
};

void make_of(const Registered& row, void* argument) {
    auto* reading = static_cast<Reading*>(argument);
    reading->made = reading->kind->read(row);
}

void read_into(Kept* kept, const KeptKind& kind, const char* key) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lookalike registered row",
                                                  ALLOCSET_SMALL_SIZES);
    const uint64 changes = registry_changes();
    const MemoryContext caller = MemoryContextSwitchTo(context);
    Reading reading{&kind, nullptr};
    const bool found = visit_registered(kind.kind, key, make_of, &reading);
    MemoryContextSwitchTo(caller);
    if (!found)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("%s \"%s\" is not registered", kind.kind, key),
                        errhint("%s If this happens while a dump is restored, restore the table "
                                "lookalike_models first.",
                                kind.missing_hint)));
    MemoryContextSetParent(context, TopMemoryContext);
    *kept = {.context = context,
             .kind = &kind,
             .key = {},
             .key_bytes = strlen(key),
             .made = reading.made,
             .changes = changes,
             .last_used = 0};
    memcpy(kept->key, key, kept->key_bytes);
}

void check_key(const KeptKind& kind, const char* key, size_t key_bytes) {
    if (key_bytes >= kMaxKeyBytes || memchr(key, '@', key_bytes) == nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid %s \"%s\"", kind.kind,
                               pnstrdup(key, static_cast<Size>(pg_mbcliplen(
                                                 key, static_cast<int>(key_bytes), 200)))),
                        errhint("Write its name and version, as in \"textiles@1\".")));
}

}  // namespace

const void* kept_registered(const KeptKind& kind, const char* key, size_t key_bytes) {
    Kept* kept = find_kept(kind, key, key_bytes);
    if (kept == nullptr) {
        check_key(kind, key, key_bytes);
        char* name = pnstrdup(key, key_bytes);
        Kept read;
        read_into(&read, kind, name);
        kept = place_for_one();
        *kept = read;
        pfree(name);
    }
    kept->last_used = ++uses;
    return kept->made;
}

}  // namespace lookalike

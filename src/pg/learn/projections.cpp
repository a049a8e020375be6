#include "pg/learn/projections.h"

#include <cstring>

#include "pg/registry/registry.h"
#include "pg/run_core.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

constexpr int kKeptProjections = 8;
constexpr size_t kMaxKeyBytes = 96;

/// One that has been read.
struct Kept {
    MemoryContext context;  ///< null: a free place
    char key[kMaxKeyBytes];
    size_t key_bytes;
    ProjectionView view;
    uint64 changes;  ///< of the registry, before it was read
    uint64 last_used;
};
Kept kept_projections[kKeptProjections];
uint64 uses = 0;

void forget(Kept* kept) {
    if (kept->context != nullptr) MemoryContextDelete(kept->context);
    kept->context = nullptr;
}

Kept* find_kept(const char* key, size_t key_bytes) {
    for (Kept& kept : kept_projections) {
        if (kept.context == nullptr || kept.key_bytes != key_bytes ||
            memcmp(kept.key, key, key_bytes) != 0)
            continue;
        if (kept.changes == registry_changes()) return &kept;
        forget(&kept);
    }
    return nullptr;
}

Kept* place_for_one() {
    Kept* oldest = &kept_projections[0];
    for (Kept& kept : kept_projections) {
        if (kept.context == nullptr) return &kept;
        if (kept.last_used < oldest->last_used) oldest = &kept;
    }
    forget(oldest);
    return oldest;
}

struct Parsed {
    ProjectionView view;
    char fault[64];  ///< empty: none
};

Parsed parse(std::span<const std::byte> bytes) {
    Parsed parsed{};
    try {
        parsed.view = parse_projection(bytes);
    } catch (const InvalidProjection& fault) {
        strlcpy(parsed.fault, fault.what(), sizeof(parsed.fault));
    }
    return parsed;
}

/// Its bytes, copied into the current memory context; `argument` is a ProjectionView.
void read_projection(const Registered& row, void* argument) {
    bytea* data = DatumGetByteaPP(row.data);
    const size_t length = VARSIZE_ANY_EXHDR(data);
    auto* bytes = static_cast<std::byte*>(MemoryContextAllocHuge(CurrentMemoryContext, length + 1));
    memcpy(bytes, VARDATA_ANY(data), length);
    const Parsed parsed = run_core([&] { return parse({bytes, length}); });
    if (parsed.fault[0] != '\0')
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION),
                 errmsg("projection \"%s\" is damaged: %s", registered_key(row), parsed.fault)));
    *static_cast<ProjectionView*>(argument) = parsed.view;
}

void read_into(Kept* kept, const char* key) {
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "lookalike projection", ALLOCSET_SMALL_SIZES);
    const uint64 changes = registry_changes();
    const MemoryContext caller = MemoryContextSwitchTo(context);
    ProjectionView view;
    const bool found = visit_registered(kProjectionKind, key, read_projection, &view);
    MemoryContextSwitchTo(caller);
    if (!found)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("projection \"%s\" is not registered", key),
                        errhint("Learn it with train_projection(). If this happens while a dump is "
                                "restored, restore the table lookalike_models first.")));
    MemoryContextSetParent(context, TopMemoryContext);
    *kept = {.context = context,
             .key = {},
             .key_bytes = strlen(key),
             .view = view,
             .changes = changes,
             .last_used = 0};
    memcpy(kept->key, key, kept->key_bytes);
}

void check_key(const char* key, size_t key_bytes) {
    if (key_bytes >= kMaxKeyBytes || memchr(key, '@', key_bytes) == nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid projection \"%s\"",
                               pnstrdup(key, static_cast<Size>(pg_mbcliplen(
                                                 key, static_cast<int>(key_bytes), 200)))),
                        errhint("Write its name and version, as in \"textiles@1\".")));
}

bool is_space(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

/// Elements as floats: those of the descriptor, or a copy.
const float* floats_of(const DescriptorView& features) {
    if (features.kind == Kind::kReal) return features.reals();
    auto* floats = static_cast<float*>(palloc(sizeof(float) * features.dims));
    for (uint32 i = 0; i < features.dims; ++i)
        floats[i] = element_at(features, i);
    return floats;
}

}  // namespace

const ProjectionView& registered_projection(const char* key, size_t key_bytes) {
    Kept* kept = find_kept(key, key_bytes);
    if (kept == nullptr) {
        check_key(key, key_bytes);
        char* name = pnstrdup(key, key_bytes);
        Kept read;
        read_into(&read, name);
        kept = place_for_one();
        *kept = read;
        pfree(name);
    }
    kept->last_used = ++uses;
    return kept->view;
}

Descriptor* projected(const Descriptor* features, const char* key, size_t key_bytes) {
    const DescriptorView from = features->view();
    check_numeric(from, "projection");
    const ProjectionView& projection = registered_projection(key, key_bytes);
    if (from.dims != projection.dims_in)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("projection \"%s\" takes %u dimensions, not %u",
                               pnstrdup(key, key_bytes), projection.dims_in, from.dims)));
    Descriptor* result = make_descriptor(from.kind, projection.dims_out);
    const bool is_real = from.kind == Kind::kReal;
    float* floats = is_real ? result->reals()
                            : static_cast<float*>(palloc(sizeof(float) * projection.dims_out));
    project(projection, floats_of(from), floats);
    for (uint32 i = 0; i < projection.dims_out; ++i)
        store_result(result, i, floats[i]);
    return result;
}

size_t split_off_projection(const char* spec, size_t spec_bytes, const char** key,
                            size_t* key_bytes) {
    *key = nullptr;
    *key_bytes = 0;
    size_t place = spec_bytes;
    while (place > 0 && spec[place - 1] != '>')
        --place;
    if (place == 0) return spec_bytes;
    const char* begin = spec + place;
    const char* end = spec + spec_bytes;
    while (begin < end && is_space(*begin))
        ++begin;
    while (end > begin && is_space(end[-1]))
        --end;
    *key = begin;
    *key_bytes = static_cast<size_t>(end - begin);
    return place - 1;
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(project) {
    text* key = PG_GETARG_TEXT_PP(1);
    PG_RETURN_POINTER(
        projected(descriptor_argument(fcinfo, 0), VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

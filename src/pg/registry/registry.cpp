#include "pg/registry/registry.h"

#include <cstring>

#include "pg/extension.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "utils/inval.h"
}

namespace lookalike {
namespace {

/// What this session knows of the table.
struct Known {
    Oid table;  ///< whose changes are watched
    uint64 changes;
    uint64 changes_taken;
    bool has_digest;
    uint8 digest[kSha256Bytes];
};
Known known;

void note_change(Datum, Oid relation) {
    if (OidIsValid(known.table) && (relation == known.table || relation == InvalidOid))
        ++known.changes;
}

/// By its name, but no other table of this name will do: it is read without asking for rights.
Oid registry_table() {
    const Oid table = get_relname_relid(kRegistryTable, extension_schema());
    if (!OidIsValid(table) || !belongs_to_extension(RelationRelationId, table))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("table \"%s\" of the extension does not exist", kRegistryTable)));
    return table;
}

/// Before the table is read, so that no change is missed.
void watch_table() {
    static bool is_listening = false;
    if (!is_listening) CacheRegisterRelcacheCallback(note_change, 0);
    is_listening = true;
    known.table = registry_table();
}

/// In the order of the columns.
enum Field { kKind, kName, kVersion, kData, kOptions, kDims, kDigest, kColumnCount };

constexpr Oid kColumnTypes[kColumnCount] = {TEXTOID,  TEXTOID, INT4OID, BYTEAOID,
                                            JSONBOID, INT4OID, BYTEAOID};

/// Its owner may have altered the table.
void check_columns(Relation table) {
    const TupleDesc row_type = RelationGetDescr(table);
    bool is_sound = table->rd_rel->relkind == RELKIND_RELATION && row_type->natts >= kColumnCount;
    for (int i = 0; is_sound && i < kColumnCount; ++i) {
        const Form_pg_attribute column = TupleDescAttr(row_type, i);
        is_sound = !column->attisdropped && column->atttypid == kColumnTypes[i];
    }
    // A digest that anybody could write would be another row's.
    if (is_sound)
        is_sound = TupleDescAttr(row_type, kDigest)->attgenerated == ATTRIBUTE_GENERATED_STORED;
    if (!is_sound)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" does not have the columns that the extension gave it",
                               kRegistryTable)));
}

const uint8* checked_digest(Datum datum) {
    bytea* digest = DatumGetByteaPP(datum);
    if (VARSIZE_ANY_EXHDR(digest) != kSha256Bytes)
        elog(ERROR, "a digest in \"%s\" has a wrong length", kRegistryTable);
    return reinterpret_cast<const uint8*>(VARDATA_ANY(digest));
}

Registered row_of(HeapTuple tuple, TupleDesc row_type) {
    Datum fields[kColumnCount];
    for (int i = 0; i < kColumnCount; ++i) {
        bool is_null;
        fields[i] = heap_getattr(tuple, i + 1, row_type, &is_null);
        if (is_null) elog(ERROR, "a column of \"%s\" is null", kRegistryTable);
    }
    return {.kind = TextDatumGetCString(fields[kKind]),
            .name = TextDatumGetCString(fields[kName]),
            .version = DatumGetInt32(fields[kVersion]),
            .data = fields[kData],
            .options = fields[kOptions],
            .dims = DatumGetInt32(fields[kDims]),
            .digest = checked_digest(fields[kDigest])};
}

void for_each_row(VisitRegistered visit, void* argument) {
    Relation table = table_open(known.table, AccessShareLock);
    check_columns(table);
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    for (;;) {
        HeapTuple tuple = systable_getnext(scan);
        if (!HeapTupleIsValid(tuple)) break;
        visit(row_of(tuple, RelationGetDescr(table)), argument);
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
}

/// `digest` becomes that of itself and of the row.
void add_to_digest(const Registered& row, void* digest) {
    const auto* options = reinterpret_cast<varlena*>(PG_DETOAST_DATUM(row.options));
    const HashedPiece pieces[] = {{digest, kSha256Bytes},
                                  {row.kind, strlen(row.kind) + 1},
                                  {row.name, strlen(row.name) + 1},
                                  {&row.version, sizeof(row.version)},
                                  {&row.dims, sizeof(row.dims)},
                                  {row.digest, kSha256Bytes},
                                  {VARDATA_ANY(options), VARSIZE_ANY_EXHDR(options)}};
    sha256(pieces, lengthof(pieces), static_cast<uint8*>(digest));
}

/// What is looked for, and what came of it.
struct Search {
    const char* kind;
    const char* key;
    VisitRegistered visit;
    void* argument;
    bool found;
    uint8 digest[kSha256Bytes];  ///< of all rows
};

void visit_if_wanted(const Registered& row, void* argument) {
    auto* search = static_cast<Search*>(argument);
    add_to_digest(row, search->digest);
    if (search->found || strcmp(row.kind, search->kind) != 0 ||
        strcmp(registered_key(row), search->key) != 0)
        return;
    search->found = true;
    search->visit(row, search->argument);
}

}  // namespace

char* registered_key(const Registered& row) {
    return psprintf("%s@%d", row.name, row.version);
}

bool visit_registered(const char* kind, const char* key, VisitRegistered visit, void* argument) {
    watch_table();
    Search search = {.kind = kind,
                     .key = key,
                     .visit = visit,
                     .argument = argument,
                     .found = false,
                     .digest = {}};
    for_each_row(visit_if_wanted, &search);
    // A change may have been committed since the digest was read.
    if (known.has_digest && memcmp(search.digest, known.digest, kSha256Bytes) != 0) ++known.changes;
    return search.found;
}

const uint8* registry_digest() {
    if (known.has_digest) return known.digest;
    watch_table();
    memset(known.digest, 0, sizeof(known.digest));
    for_each_row(add_to_digest, known.digest);
    known.has_digest = true;
    return known.digest;
}

bool registry_is_as_known() {
    return known.changes == known.changes_taken;
}

bool take_registry_news() {
    if (registry_is_as_known()) return false;
    known.changes_taken = known.changes;
    known.has_digest = false;
    return true;
}

uint64 registry_changes() {
    return known.changes;
}

}  // namespace lookalike

using namespace lookalike;

// Fires for every statement that changes the table: all sessions forget what they know of it.
SQL_FUNCTION(lookalike_models_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("function \"%s\" must be called as a trigger",
                               "lookalike_models_changed")));
    CacheInvalidateRelcache(reinterpret_cast<TriggerData*>(fcinfo->context)->tg_relation);
    PG_RETURN_POINTER(nullptr);
}

#include "pg/image/models.h"

#include <cstdlib>
#include <cstring>

#include "pg/extension.h"
#include "pg/image/worker.h"
#include "pg/sha256.h"
#include "pg/worker/warm_client.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace lookalike {
namespace {

constexpr char kTable[] = "image_models";

/// What this session knows of the table. Each network in its worker is one of these: the worker
/// ends before the next request when there is news.
struct Registered {
    Oid table;  ///< whose changes are watched
    bool is_known;
    uint8 digest[kSha256Bytes];
};
Registered registered;
bool models_changed = false;

void note_change(Datum, Oid relation) {
    if (OidIsValid(registered.table) && (relation == registered.table || relation == InvalidOid))
        models_changed = true;
}

/// By its name, but no other table of this name will do: it is read without asking for rights.
Oid models_table() {
    const Oid table = get_relname_relid(kTable, extension_schema());
    if (!OidIsValid(table) || !belongs_to_extension(RelationRelationId, table))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("table \"%s\" of the extension does not exist", kTable)));
    return table;
}

[[noreturn]] void report_unregistered(const char* key) {
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("image model \"%s\" is not registered", key),
             errhint("Register it with register_image_model(). If this happens while a dump "
                     "is restored, fill the column with image_features_trigger() instead of "
                     "a generation expression: generated columns are computed before the "
                     "models are there.")));
    pg_unreachable();
}

void copy_text(const char* from, char* to, size_t room, const char* what) {
    if (strlcpy(to, from, room) >= room)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s of an image model is too long", what)));
}

void copy_triple(ArrayType* array, float* to, const char* what) {
    if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != 3 || ARR_ELEMTYPE(array) != FLOAT4OID ||
        array_contains_nulls(array))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s of an image model must be an array of three numbers", what)));
    memcpy(to, ARR_DATA_PTR(array), 3 * sizeof(float));
}

/// Columns and arguments in their order: name, version, onnx, input_width, input_height, mean, std,
/// layer, normalize, bgr. The columns go on with dims and digest.
enum ModelField {
    kName,
    kVersion,
    kOnnx,
    kInputWidth,
    kInputHeight,
    kMean,
    kStd,
    kLayer,
    kNormalize,
    kBgr,
    kArgumentCount,
    kDigest = kArgumentCount + 1,
    kColumnCount
};

constexpr Oid kColumnTypes[kColumnCount] = {TEXTOID, INT4OID,        BYTEAOID,       INT4OID,
                                            INT4OID, FLOAT4ARRAYOID, FLOAT4ARRAYOID, TEXTOID,
                                            BOOLOID, BOOLOID,        INT4OID,        BYTEAOID};

/// Its owner may have altered the table.
void check_columns(Relation table) {
    const TupleDesc row_type = RelationGetDescr(table);
    bool is_sound = table->rd_rel->relkind == RELKIND_RELATION && row_type->natts >= kColumnCount;
    for (int i = 0; is_sound && i < kColumnCount; ++i) {
        const Form_pg_attribute column = TupleDescAttr(row_type, i);
        is_sound = !column->attisdropped && column->atttypid == kColumnTypes[i];
    }
    // A digest that anybody could write would be another network's.
    if (is_sound)
        is_sound = TupleDescAttr(row_type, kDigest)->attgenerated == ATTRIBUTE_GENERATED_STORED;
    if (!is_sound)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" does not have the columns that the extension gave it",
                               kTable)));
}

void copy_digest(bytea* digest, uint8_t (&to)[32]) {
    if (VARSIZE_ANY_EXHDR(digest) != sizeof(to))
        elog(ERROR, "a digest in \"%s\" has a wrong length", kTable);
    memcpy(to, VARDATA_ANY(digest), sizeof(to));
}

WorkerModelConfig config_of(const Datum* fields) {
    WorkerModelConfig config = {};
    char key[kWorkerMaxModelKey * 2];
    snprintf(key, sizeof(key), "%s@%d", TextDatumGetCString(fields[kName]),
             DatumGetInt32(fields[kVersion]));
    copy_text(key, config.key, sizeof(config.key), "name");
    copy_text(TextDatumGetCString(fields[kLayer]), config.layer, sizeof(config.layer), "layer");
    config.input_width = DatumGetUInt32(fields[kInputWidth]);
    config.input_height = DatumGetUInt32(fields[kInputHeight]);
    copy_triple(DatumGetArrayTypeP(fields[kMean]), config.mean, "mean");
    copy_triple(DatumGetArrayTypeP(fields[kStd]), config.std, "standard deviation");
    config.normalize = DatumGetBool(fields[kNormalize]);
    config.bgr = DatumGetBool(fields[kBgr]);
    return config;
}

uint32 load(const Datum* fields) {
    const WorkerModelConfig config = config_of(fields);
    bytea* onnx = DatumGetByteaPP(fields[kOnnx]);
    return load_model_into_worker(
        config, {VARDATA_ANY(onnx), static_cast<uint64>(VARSIZE_ANY_EXHDR(onnx))});
}

WorkerModelConfig registered_config_of(const Datum* fields) {
    WorkerModelConfig config = config_of(fields);
    copy_digest(DatumGetByteaPP(fields[kDigest]), config.digest);
    return config;
}

/// The file is only read, and sent, when the warm parent does not hold it.
double find_or_load(const Datum* fields) {
    if (!find_preloaded_model(registered_config_of(fields))) load(fields);
    return 0;
}

double preload(const Datum* fields) {
    WorkerModelConfig config = registered_config_of(fields);
    bytea* onnx = DatumGetByteaPP(fields[kOnnx]);
    return warm_preload(&config, VARDATA_ANY(onnx), VARSIZE_ANY_EXHDR(onnx));
}

/// Calls `visit` with the columns of each registered network.
void for_each_model(Oid table_id, void (*visit)(const Datum* fields, void* argument),
                    void* argument) {
    // A system scan asks for no rights: whoever may call the function may use networks, but only
    // the table's owner may read them.
    Relation table = table_open(table_id, AccessShareLock);
    check_columns(table);
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    for (;;) {
        HeapTuple tuple = systable_getnext(scan);
        if (!HeapTupleIsValid(tuple)) break;
        Datum fields[kColumnCount];
        for (int i = 0; i < kColumnCount; ++i) {
            bool is_null;
            fields[i] = heap_getattr(tuple, i + 1, RelationGetDescr(table), &is_null);
            if (is_null) elog(ERROR, "a column of \"%s\" is null", kTable);
        }
        visit(fields, argument);
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
}

/// `digest` becomes that of itself and of the network.
void add_to_digest(const Datum* fields, void* digest) {
    const WorkerModelConfig config = registered_config_of(fields);
    const HashedPiece pieces[] = {{digest, kSha256Bytes}, {&config, sizeof(config)}};
    sha256(pieces, lengthof(pieces), static_cast<uint8*>(digest));
}

/// What is to be done with the network `key` ("name@version"), and what came of it.
struct Wanted {
    const char* key;
    double (*use)(const Datum* fields);
    bool found;
    double result;
    uint8 digest[kSha256Bytes];  ///< of all networks
};

void use_if_wanted(const Datum* fields, void* argument) {
    auto* wanted = static_cast<Wanted*>(argument);
    add_to_digest(fields, wanted->digest);
    const char* key =
        psprintf("%s@%d", TextDatumGetCString(fields[kName]), DatumGetInt32(fields[kVersion]));
    if (wanted->found || strcmp(key, wanted->key) != 0) return;
    wanted->found = true;
    wanted->result = wanted->use(fields);
}

/// Does `use` with the columns of a registered network.
Wanted with_registered_model(const char* key, Oid table, double (*use)(const Datum* fields)) {
    Wanted wanted = {.key = key, .use = use, .found = false, .result = 0, .digest = {}};
    for_each_model(table, use_if_wanted, &wanted);
    if (!wanted.found) report_unregistered(key);
    return wanted;
}

}  // namespace

const uint8* registered_networks() {
    static bool is_listening = false;
    if (!is_listening) CacheRegisterRelcacheCallback(note_change, 0);
    is_listening = true;
    if (registered.is_known) return registered.digest;
    // Before it is read, so that no change is missed.
    registered.table = models_table();
    memset(registered.digest, 0, sizeof(registered.digest));
    for_each_model(registered.table, add_to_digest, registered.digest);
    registered.is_known = true;
    return registered.digest;
}

void load_registered_model(const char* key) {
    registered_networks();
    const Wanted loaded = with_registered_model(key, registered.table, find_or_load);
    // Another one may have been committed since.
    if (memcmp(loaded.digest, registered.digest, sizeof(loaded.digest)) != 0) models_changed = true;
}

double preload_registered_model(const char* key) {
    return with_registered_model(key, models_table(), preload).result;
}

bool models_are_as_known() {
    return !models_changed;
}

void forget_changed_models() {
    if (!models_changed) return;
    models_changed = false;
    registered.is_known = false;
    stop_image_worker();
}

}  // namespace lookalike

using namespace lookalike;

// Loads a network and tells the dimensions of its descriptors.
SQL_FUNCTION(check_image_model) {
    Datum fields[kArgumentCount];
    for (int i = 0; i < kArgumentCount; ++i)
        fields[i] = PG_GETARG_DATUM(i);
    const int32 dims = static_cast<int32>(load(fields));
    // Until it is registered, nobody may find it under its name.
    stop_image_worker();
    PG_RETURN_INT32(dims);
}

// Loads a registered network into the warm parent; returns the milliseconds that it took there.
SQL_FUNCTION(image_model_preload) {
    char* key = psprintf("%s@%d", text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
    PG_RETURN_FLOAT8(preload_registered_model(key));
}

// Fires for every statement that changes the table of networks: all sessions forget theirs.
SQL_FUNCTION(image_models_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR,
                (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                 errmsg("function \"%s\" must be called as a trigger", "image_models_changed")));
    CacheInvalidateRelcache(reinterpret_cast<TriggerData*>(fcinfo->context)->tg_relation);
    PG_RETURN_POINTER(nullptr);
}

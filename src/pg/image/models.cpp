#include "pg/image/models.h"

#include <cstdlib>
#include <cstring>

#include "pg/image/cache.h"
#include "pg/image/worker.h"
#include "pg/worker/warm_client.h"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace lookalike {
namespace {

constexpr char kTable[] = "image_models";
constexpr char kExtension[] = "lookalike";

/// The table that this session has loaded networks from.
Oid loaded_from = InvalidOid;
bool models_changed = false;

void note_change(Datum, Oid relation) {
    if (OidIsValid(loaded_from) && (relation == loaded_from || relation == InvalidOid))
        models_changed = true;
}

Oid models_table(Oid schema) {
    const Oid table = get_relname_relid(kTable, schema);
    if (!OidIsValid(table))
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

/// The file is only read, and sent, when the warm parent does not hold it.
double find_or_load(const Datum* fields) {
    WorkerModelConfig config = config_of(fields);
    copy_digest(DatumGetByteaPP(fields[kDigest]), config.digest);
    if (!find_preloaded_model(config)) load(fields);
    return 0;
}

double preload(const Datum* fields) {
    WorkerModelConfig config = config_of(fields);
    copy_digest(DatumGetByteaPP(fields[kDigest]), config.digest);
    bytea* onnx = DatumGetByteaPP(fields[kOnnx]);
    return warm_preload(&config, VARDATA_ANY(onnx), VARSIZE_ANY_EXHDR(onnx));
}

/// `key` is "name@version".
bool is_row_of(const char* key, const Datum* fields) {
    char* name = TextDatumGetCString(fields[kName]);
    char* found = psprintf("%s@%d", name, DatumGetInt32(fields[kVersion]));
    return strcmp(found, key) == 0;
}

/// Does `use` with the columns of a registered network, and returns what it returns.
double with_registered_model(const char* key, Oid table_id, double (*use)(const Datum* fields)) {
    // A system scan asks for no rights: whoever may call the function may use networks, but only
    // the table's owner may read them.
    Relation table = table_open(table_id, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    bool found = false;
    double result = 0;
    while (!found) {
        HeapTuple tuple = systable_getnext(scan);
        if (!HeapTupleIsValid(tuple)) break;
        Datum fields[kColumnCount];
        for (int i = 0; i < kColumnCount; ++i) {
            bool is_null;
            fields[i] = heap_getattr(tuple, i + 1, RelationGetDescr(table), &is_null);
            if (is_null) elog(ERROR, "a column of \"%s\" is null", kTable);
        }
        found = is_row_of(key, fields);
        if (found) result = use(fields);
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    if (!found) report_unregistered(key);
    return result;
}

Oid schema_of_extension() {
    const Oid extension = get_extension_oid(kExtension, false);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(extension));
    Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, ExtensionOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    const Oid schema = HeapTupleIsValid(tuple)
                           ? reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extnamespace
                           : InvalidOid;
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return schema;
}

}  // namespace

void load_registered_model(const char* key, Oid function) {
    static bool registered = false;
    if (!registered) {
        CacheRegisterRelcacheCallback(note_change, 0);
        registered = true;
    }
    const Oid table = models_table(get_func_namespace(function));
    with_registered_model(key, table, find_or_load);
    loaded_from = table;
}

double preload_registered_model(const char* key) {
    return with_registered_model(key, models_table(schema_of_extension()), preload);
}

void forget_changed_models() {
    if (!models_changed) return;
    models_changed = false;
    loaded_from = InvalidOid;
    clear_image_cache();
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

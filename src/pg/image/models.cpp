#include "pg/image/models.h"

#include <cstring>

#include "pg/image/worker.h"
#include "pg/registry/options.h"
#include "pg/worker/warm_client.h"

namespace lookalike {
namespace {

/// The worker refuses some that the registry takes.
constexpr int32 kMaxInputSide = 4096;

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

/// The arguments of check_image_model(): name, version, onnx and what a row has as options.
WorkerModelConfig config_of_arguments(FunctionCallInfo fcinfo) {
    WorkerModelConfig config = {};
    const char* key = psprintf("%s@%d", text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
    copy_text(key, config.key, sizeof(config.key), "name");
    config.input_width = PG_GETARG_UINT32(3);
    config.input_height = PG_GETARG_UINT32(4);
    copy_triple(PG_GETARG_ARRAYTYPE_P(5), config.mean, "mean");
    copy_triple(PG_GETARG_ARRAYTYPE_P(6), config.std, "standard deviation");
    copy_text(text_to_cstring(PG_GETARG_TEXT_PP(7)), config.layer, sizeof(config.layer), "layer");
    config.normalize = PG_GETARG_BOOL(8);
    config.bgr = PG_GETARG_BOOL(9);
    return config;
}

/// With the digest of its file.
WorkerModelConfig config_of(const Registered& row) {
    WorkerModelConfig config = {};
    copy_text(registered_key(row), config.key, sizeof(config.key), "name");
    config.input_width = static_cast<uint32>(integer_option(row, "input_width", 1, kMaxInputSide));
    config.input_height =
        static_cast<uint32>(integer_option(row, "input_height", 1, kMaxInputSide));
    numbers_option(row, "mean", config.mean, lengthof(config.mean));
    numbers_option(row, "std", config.std, lengthof(config.std));
    copy_text(text_option(row, "layer"), config.layer, sizeof(config.layer), "layer");
    config.normalize = boolean_option(row, "normalized");
    config.bgr = boolean_option(row, "bgr");
    memcpy(config.digest, row.digest, sizeof(config.digest));
    return config;
}

uint32 load(WorkerModelConfig config, Datum data) {
    memset(config.digest, 0, sizeof(config.digest));
    bytea* onnx = DatumGetByteaPP(data);
    return load_model_into_worker(
        config, {VARDATA_ANY(onnx), static_cast<uint64>(VARSIZE_ANY_EXHDR(onnx))});
}

/// The file is only read, and sent, when the warm parent does not hold it.
void find_or_load(const Registered& row, void*) {
    const WorkerModelConfig config = config_of(row);
    if (!find_preloaded_model(config)) load(config, row.data);
}

/// `load_ms` is a double.
void preload(const Registered& row, void* load_ms) {
    WorkerModelConfig config = config_of(row);
    bytea* onnx = DatumGetByteaPP(row.data);
    *static_cast<double*>(load_ms) =
        warm_preload(&config, VARDATA_ANY(onnx), VARSIZE_ANY_EXHDR(onnx));
}

}  // namespace

void load_registered_model(const char* key) {
    registry_digest();
    if (!visit_registered(kNetworkKind, key, find_or_load, nullptr)) report_unregistered(key);
}

double preload_registered_model(const char* key) {
    double load_ms = 0;
    if (!visit_registered(kNetworkKind, key, preload, &load_ms)) report_unregistered(key);
    return load_ms;
}

void forget_changed_models() {
    if (take_registry_news()) stop_image_worker();
}

}  // namespace lookalike

using namespace lookalike;

// Loads a network and tells the dimensions of its descriptors.
SQL_FUNCTION(check_image_model) {
    const WorkerModelConfig config = config_of_arguments(fcinfo);
    const auto dims = static_cast<int32>(load(config, PG_GETARG_DATUM(2)));
    // Until it is registered, nobody may find it under its name.
    stop_image_worker();
    PG_RETURN_INT32(dims);
}

// Loads a registered network into the warm parent; returns the milliseconds that it took there.
SQL_FUNCTION(image_model_preload) {
    char* key = psprintf("%s@%d", text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
    PG_RETURN_FLOAT8(preload_registered_model(key));
}

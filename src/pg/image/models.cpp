#include "pg/image/models.h"

#include <cstring>

#include "core/text/text_options.h"
#include "pg/image/worker.h"
#include "pg/registry/options.h"
#include "pg/worker/warm_client.h"

extern "C" {
#include "access/detoast.h"
}

namespace lookalike {
namespace {

/// The worker refuses some that the registry takes.
constexpr int32 kMaxInputSide = 4096;

/// Keys of texts in a worker, where pictures may have the same name and version.
constexpr char kTextPrefix[] = "text:";

/// The same of codebooks.
constexpr char kCodebookPrefix[] = "codebook:";

/// A key in a worker, taken apart.
struct RowName {
    const char* kind;
    const char* key;  ///< "name@version"
};

RowName row_name_of(const char* key) {
    if (strncmp(key, kTextPrefix, strlen(kTextPrefix)) == 0)
        return {kTextKind, key + strlen(kTextPrefix)};
    if (strncmp(key, kCodebookPrefix, strlen(kCodebookPrefix)) == 0)
        return {kCodebookKind, key + strlen(kCodebookPrefix)};
    return {kNetworkKind, key};
}

[[noreturn]] void report_unregistered(const RowName& row) {
    if (strcmp(row.kind, kTextKind) == 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("text model \"%s\" is not registered", row.key),
                        errhint("Register it with register_text_model().")));
    if (strcmp(row.kind, kCodebookKind) == 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("codebook \"%s\" is not registered", row.key),
                        errhint("Learn it with train_codebook(). If this happens while a dump is "
                                "restored, restore the table lookalike_models first.")));
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("image model \"%s\" is not registered", row.key),
                    errhint("Register it with register_image_model(). If this happens while a dump "
                            "is restored, fill the column with image_features_trigger() instead of "
                            "a generation expression: generated columns are computed before the "
                            "models are there.")));
    pg_unreachable();
}

void copy_text(const char* from, char* to, size_t room, const char* what) {
    if (strlcpy(to, from, room) >= room)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s of a network is too long", what)));
}

void copy_triple(ArrayType* array, float* to, const char* what) {
    if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != 3 || ARR_ELEMTYPE(array) != FLOAT4OID ||
        array_contains_nulls(array))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s of an image model must be an array of three numbers", what)));
    memcpy(to, ARR_DATA_PTR(array), 3 * sizeof(float));
}

/// What is not checked before a network is loaded would be found out late.
char* key_of_arguments(FunctionCallInfo fcinfo) {
    const char* name = text_to_cstring(PG_GETARG_TEXT_PP(0));
    check_registered_name(name);
    return psprintf("%s@%d", name, PG_GETARG_INT32(1));
}

/// The arguments of check_image_model(): name, version, onnx and what a row has as options.
WorkerModelConfig config_of_arguments(FunctionCallInfo fcinfo) {
    WorkerModelConfig config = {};
    copy_text(key_of_arguments(fcinfo), config.key, sizeof(config.key), "name");
    config.input_width = PG_GETARG_UINT32(3);
    config.input_height = PG_GETARG_UINT32(4);
    copy_triple(PG_GETARG_ARRAYTYPE_P(5), config.mean, "mean");
    copy_triple(PG_GETARG_ARRAYTYPE_P(6), config.std, "standard deviation");
    copy_text(text_to_cstring(PG_GETARG_TEXT_PP(7)), config.layer, sizeof(config.layer), "layer");
    config.normalize = PG_GETARG_BOOL(8);
    config.bgr = PG_GETARG_BOOL(9);
    config.crop = PG_GETARG_BOOL(10);
    return config;
}

int32 data_bytes(Datum data) {
    return static_cast<int32>(toast_raw_datum_size(data) - VARHDRSZ);
}

uint32 tokenizer_kind(const char* name) {
    if (strcmp(name, "clip") == 0) return static_cast<uint32>(TokenizerKind::kClip);
    if (strcmp(name, "wordpiece") == 0) return static_cast<uint32>(TokenizerKind::kWordPiece);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("tokenizer \"%s\" is not known", name),
                    errdetail("Known are \"clip\" and \"wordpiece\".")));
    pg_unreachable();
}

uint32 pooling(const char* name) {
    if (strcmp(name, "end") == 0) return static_cast<uint32>(Pooling::kEnd);
    if (strcmp(name, "first") == 0) return static_cast<uint32>(Pooling::kFirst);
    if (strcmp(name, "mean") == 0) return static_cast<uint32>(Pooling::kMean);
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("pooling \"%s\" is not known", name),
             errdetail("Known are \"end\", \"first\" and \"mean\".")));
    pg_unreachable();
}

uint32 checked_context(int32 context) {
    if (context < static_cast<int32>(kMinTokens) || context > static_cast<int32>(kMaxTokens))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("context of a text model must be between %u and %u", kMinTokens,
                               kMaxTokens)));
    return static_cast<uint32>(context);
}

void name_text(WorkerModelConfig* config, const char* key) {
    copy_text(psprintf("%s%s", kTextPrefix, key), config->key, sizeof(config->key), "name");
}

/// The arguments of check_text_model(): name, version, files and what a row has as options.
WorkerModelConfig text_config_of_arguments(FunctionCallInfo fcinfo) {
    WorkerModelConfig config = {};
    name_text(&config, key_of_arguments(fcinfo));
    const int32 tokenizer_bytes = PG_GETARG_INT32(3);
    if (tokenizer_bytes < 0 || tokenizer_bytes > data_bytes(PG_GETARG_DATUM(2)))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("tokenizer_bytes must be between 0 and %d, the length of files",
                               data_bytes(PG_GETARG_DATUM(2)))));
    config.tokenizer_bytes = static_cast<uint64>(tokenizer_bytes);
    config.tokenizer = tokenizer_kind(text_to_cstring(PG_GETARG_TEXT_PP(4)));
    config.context = checked_context(PG_GETARG_INT32(5));
    config.lower_case = PG_GETARG_BOOL(6);
    config.pooling = pooling(text_to_cstring(PG_GETARG_TEXT_PP(7)));
    copy_text(text_to_cstring(PG_GETARG_TEXT_PP(8)), config.layer, sizeof(config.layer), "layer");
    config.normalize = PG_GETARG_BOOL(9);
    return config;
}

WorkerModelConfig text_config_of(const Registered& row) {
    WorkerModelConfig config = {};
    name_text(&config, registered_key(row));
    config.tokenizer_bytes =
        static_cast<uint64>(integer_option(row, "tokenizer_bytes", 0, data_bytes(row.data)));
    config.tokenizer = tokenizer_kind(text_option(row, "tokenizer"));
    config.context = checked_context(integer_option(row, "context", kMinTokens, kMaxTokens));
    config.lower_case = boolean_option(row, "lower_case");
    config.pooling = pooling(text_option(row, "pooling"));
    copy_text(text_option(row, "layer"), config.layer, sizeof(config.layer), "layer");
    config.normalize = boolean_option(row, "normalized");
    memcpy(config.digest, row.digest, sizeof(config.digest));
    return config;
}

WorkerModelConfig codebook_config_of(const Registered& row) {
    WorkerModelConfig config = {};
    copy_text(psprintf("%s%s", kCodebookPrefix, registered_key(row)), config.key,
              sizeof(config.key), "name");
    config.codebook = 1;
    memcpy(config.digest, row.digest, sizeof(config.digest));
    return config;
}

/// With the digest of its file.
WorkerModelConfig config_of(const Registered& row) {
    if (strcmp(row.kind, kTextKind) == 0) return text_config_of(row);
    if (strcmp(row.kind, kCodebookKind) == 0) return codebook_config_of(row);
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
    config.crop = boolean_option(row, "crop");
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

/// `load_ms` is a double, to which the time is added.
void preload(const Registered& row, void* load_ms) {
    WorkerModelConfig config = config_of(row);
    bytea* onnx = DatumGetByteaPP(row.data);
    *static_cast<double*>(load_ms) +=
        warm_preload(&config, VARDATA_ANY(onnx), VARSIZE_ANY_EXHDR(onnx));
}

/// `dims` is an int32.
void tell_dims(const Registered& row, void* dims) {
    *static_cast<int32*>(dims) = row.dims;
}

/// The networks of pictures and of texts that have one name and version give descriptors that can
/// be compared.
void check_pair(const char* other_kind, const char* key, int32 dims) {
    int32 other_dims = dims;
    visit_registered(other_kind, key, tell_dims, &other_dims);
    if (other_dims != dims)
        ereport(
            ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("networks of \"%s\" give %d and %d dimensions", key, dims, other_dims),
             errdetail("A network for pictures and one for texts that have one name and version "
                       "are a pair.")));
}

}  // namespace

void load_registered_model(const char* key) {
    registry_digest();
    const RowName row = row_name_of(key);
    if (!visit_registered(row.kind, row.key, find_or_load, nullptr)) report_unregistered(row);
}

double preload_registered_model(const char* key) {
    double load_ms = 0;
    bool is_there = false;
    for (const char* kind : {kNetworkKind, kTextKind, kCodebookKind})
        is_there |= visit_registered(kind, key, preload, &load_ms);
    if (!is_there) report_unregistered({kNetworkKind, key});
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
    check_pair(kTextKind, config.key, dims);
    PG_RETURN_INT32(dims);
}

// The same of a network for texts and its tokenizer.
SQL_FUNCTION(check_text_model) {
    const WorkerModelConfig config = text_config_of_arguments(fcinfo);
    const auto dims = static_cast<int32>(load(config, PG_GETARG_DATUM(2)));
    stop_image_worker();
    check_pair(kNetworkKind, config.key + strlen(kTextPrefix), dims);
    PG_RETURN_INT32(dims);
}

// Loads a registered network into the warm parent; returns the milliseconds that it took there.
SQL_FUNCTION(image_model_preload) {
    char* key = psprintf("%s@%d", text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
    PG_RETURN_FLOAT8(preload_registered_model(key));
}

// Images to descriptors, thumbnails and facts; docs/SANDBOX.md says who does the work.
#include "pg/image/functions.h"

#include "core/vector/metric.h"
#include "pg/image/cache.h"
#include "pg/image/models.h"
#include "pg/image/settings.h"
#include "pg/image/worker.h"
#include "pg/learn/projections.h"
#include "pg/registry/registry.h"

extern "C" {
#include "access/htup_details.h"
#include "common/string.h"
#include "funcapi.h"
#include "utils/fmgroids.h"
}

namespace lookalike {

ImageBytes bytes_of(bytea* image) {
    return {VARDATA_ANY(image), static_cast<uint64>(VARSIZE_ANY_EXHDR(image))};
}

uint32 checked_picture_size(int32 size, const char* what) {
    if (size < 1 || size > static_cast<int32>(kWorkerMaxThumbnailSize))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("size of %s must be between 1 and %u", what, kWorkerMaxThumbnailSize)));
    return static_cast<uint32>(size);
}

bytea* reply_file(const ImageReply& reply) {
    const size_t length = VARHDRSZ + reply.header.byte_count;
    auto* file = static_cast<bytea*>(palloc(length));
    SET_VARSIZE(file, length);
    memcpy(VARDATA(file), reply.bytes, reply.header.byte_count);
    return file;
}

bytea* read_image_file(Datum path) {
    return DatumGetByteaPP(OidFunctionCall1(F_PG_READ_BINARY_FILE_TEXT, path));
}

void name_image_file(void* path) {
    errcontext("image file \"%s\"", static_cast<const char*>(path));
}

namespace {

bool ask(WorkerKind kind, bytea* image, uint32 thumbnail_size, ImageReply* reply) {
    const ImageBytes bytes = bytes_of(image);
    return request_images({.kind = kind,
                           .images = &bytes,
                           .image_count = 1,
                           .spec = nullptr,
                           .spec_bytes = 0,
                           .thumbnail_size = thumbnail_size,
                           .may_refuse = false},
                          reply);
}

/// The row type of a function with OUT parameters, kept with the function call.
TupleDesc row_type(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        const MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        TupleDesc type;
        if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "the function must return a row");
        fcinfo->flinfo->fn_extra = BlessTupleDesc(type);
        MemoryContextSwitchTo(caller);
    }
    return static_cast<TupleDesc>(fcinfo->flinfo->fn_extra);
}

Datum row(TupleDesc type, Datum* values, bool* nulls) {
    return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}

uint32 checked_spec_length(text* spec) {
    const size_t length = VARSIZE_ANY_EXHDR(spec);
    if (length > kWorkerMaxSpecBytes)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("extractor specification is too long"),
                        errdetail("The limit is %u bytes.", kWorkerMaxSpecBytes)));
    return static_cast<uint32>(length);
}

/// An extractor's text: what the worker reads of it, and what this backend does with the result.
struct Extractor {
    const char* spec;
    uint32 spec_bytes;
    const char* projection;  ///< null: none
    size_t projection_bytes;
};

Extractor checked_extractor(text* spec) {
    const uint32 length = checked_spec_length(spec);
    Extractor extractor = {};
    extractor.spec = VARDATA_ANY(spec);
    extractor.spec_bytes = static_cast<uint32>(split_off_projection(
        extractor.spec, length, &extractor.projection, &extractor.projection_bytes));
    // Before the work whose result it would be wanted for.
    if (extractor.projection != nullptr)
        registered_projection(extractor.projection, extractor.projection_bytes);
    return extractor;
}

Descriptor* finished(const Extractor& extractor, Descriptor* features) {
    if (extractor.projection == nullptr) return features;
    return projected(features, extractor.projection, extractor.projection_bytes);
}

/// Which element an ERROR of a batch is about; `argument` holds the places of its images.
void name_failed_element(void* argument) {
    uint64 index;
    if (failed_image(&index))
        errcontext("element %d of the images", static_cast<const int*>(argument)[index] + 1);
}

/// `spec` is a text.
void extract_descriptors(const ImageBytes* images, uint32 count, void* spec, varlena** features) {
    forget_changed_models();
    const Extractor extractor = checked_extractor(static_cast<text*>(spec));
    ImageReply reply;
    request_images({.kind = WorkerKind::kImageFeatures,
                    .images = images,
                    .image_count = count,
                    .spec = extractor.spec,
                    .spec_bytes = extractor.spec_bytes,
                    .thumbnail_size = 0,
                    .may_refuse = false},
                   &reply);
    for (uint32 i = 0; i < count; ++i)
        features[i] =
            reinterpret_cast<varlena*>(finished(extractor, reply_descriptor(reply, count, i)));
}

/// The worker sees so many at a time.
constexpr int kChunk = 32;

/// Images from `next` on, as many as go into one request; moves `next` behind them. `places` are
/// theirs in the array.
uint32 take_chunk(const Datum* elements, const bool* nulls, int count, int* next,
                  ImageBytes* images, int* places) {
    uint32 used = 0;
    uint64 total = 0;
    for (; *next < count && used < kChunk; ++*next) {
        if (nulls[*next]) continue;
        const ImageBytes image = bytes_of(DatumGetByteaPP(elements[*next]));
        if (used > 0 && total + image.byte_count > kMaxImageBytes / 4) break;
        total += image.byte_count;
        images[used] = image;
        places[used++] = *next;
    }
    return used;
}

/// Features of all images of the array, null for NULL.
varlena** extract_all(ArrayType* array, ExtractChunk extract, void* wish, int* count) {
    Datum* elements;
    bool* nulls;
    deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
    auto** all = static_cast<varlena**>(palloc0(sizeof(varlena*) * (*count + 1)));
    ImageBytes images[kChunk];
    varlena* features[kChunk];
    int places[kChunk];
    ErrorContextCallback context = {
        .previous = error_context_stack, .callback = name_failed_element, .arg = places};
    for (int next = 0; next < *count;) {
        const uint32 used = take_chunk(elements, nulls, *count, &next, images, places);
        if (used == 0) break;
        error_context_stack = &context;
        extract(images, used, wish, features);
        error_context_stack = context.previous;
        for (uint32 i = 0; i < used; ++i)
            all[places[i]] = features[i];
    }
    return all;
}

}  // namespace

Descriptor* features_of(bytea* image, text* spec, bool may_refuse) {
    return features_of_bytes(WorkerKind::kImageFeatures, bytes_of(image), spec, may_refuse);
}

Descriptor* features_of_bytes(WorkerKind kind, ImageBytes bytes, text* spec, bool may_refuse) {
    forget_changed_models();
    const Extractor extractor = checked_extractor(spec);
    const bool use_cache = image_cache_bytes() > 0;
    ImageKey key = {};
    if (use_cache) {
        const bool needs_registry = extractor.projection != nullptr ||
                                    names_registered(extractor.spec, extractor.spec_bytes);
        key = image_key(kind, bytes.bytes, bytes.byte_count, VARDATA_ANY(spec),
                        VARSIZE_ANY_EXHDR(spec), needs_registry ? registry_digest() : nullptr);
        varlena* cached = find_cached_features(key);
        if (cached != nullptr) return reinterpret_cast<Descriptor*>(cached);
    }
    ImageReply reply;
    if (!request_images({.kind = kind,
                         .images = &bytes,
                         .image_count = 1,
                         .spec = extractor.spec,
                         .spec_bytes = extractor.spec_bytes,
                         .thumbnail_size = 0,
                         .may_refuse = may_refuse},
                        &reply))
        return nullptr;
    Descriptor* features = finished(extractor, reply_descriptor(reply, 1, 0));
    if (use_cache && registry_is_as_known())
        cache_features(key, reinterpret_cast<varlena*>(features));
    return features;
}

Datum batch_rows(FunctionCallInfo fcinfo, ExtractChunk extract, void* wish) {
    FuncCallContext* call;
    if (SRF_IS_FIRSTCALL()) {
        call = SRF_FIRSTCALL_INIT();
        const MemoryContext caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        int count;
        call->user_fctx = extract_all(PG_GETARG_ARRAYTYPE_P(0), extract, wish, &count);
        call->max_calls = static_cast<uint64>(count);
        MemoryContextSwitchTo(caller);
    }
    call = SRF_PERCALL_SETUP();
    if (call->call_cntr >= call->max_calls) SRF_RETURN_DONE(call);
    varlena* features = static_cast<varlena**>(call->user_fctx)[call->call_cntr];
    if (features == nullptr) SRF_RETURN_NEXT_NULL(call);
    SRF_RETURN_NEXT(call, PointerGetDatum(features));
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(image_features) {
    PG_RETURN_POINTER(features_of(PG_GETARG_BYTEA_PP(0), PG_GETARG_TEXT_PP(1), false));
}

SQL_FUNCTION(image_features_or_null) {
    Descriptor* features = features_of(PG_GETARG_BYTEA_PP(0), PG_GETARG_TEXT_PP(1), true);
    if (features == nullptr) PG_RETURN_NULL();
    PG_RETURN_POINTER(features);
}

SQL_FUNCTION(image_features_file) {
    PG_RETURN_POINTER(of_image_file(PG_GETARG_DATUM(0), [&](bytea* image) {
        return features_of(image, PG_GETARG_TEXT_PP(1), false);
    }));
}

SQL_FUNCTION(image_info) {
    ImageReply reply;
    ask(WorkerKind::kImageInfo, PG_GETARG_BYTEA_PP(0), 0, &reply);
    const WorkerImageResult& header = reply.header;
    if (header.width > PG_INT32_MAX || header.height > PG_INT32_MAX ||
        header.channels > PG_UINT16_MAX || header.orientation < 1 || header.orientation > 8)
        reject_image_reply("An image's size is out of range.");
    Datum values[] = {CStringGetTextDatum(reply.text), UInt32GetDatum(header.width),
                      UInt32GetDatum(header.height), UInt32GetDatum(header.channels),
                      Int32GetDatum(header.orientation)};
    bool nulls[lengthof(values)] = {};
    PG_RETURN_DATUM(row(row_type(fcinfo), values, nulls));
}

SQL_FUNCTION(image_thumbnail) {
    const uint32 size = checked_picture_size(PG_GETARG_INT32(1), "a thumbnail");
    ImageReply reply;
    ask(WorkerKind::kImageThumbnail, PG_GETARG_BYTEA_PP(0), size, &reply);
    PG_RETURN_BYTEA_P(reply_file(reply));
}

SQL_FUNCTION(builtin_image_extractors) {
    FuncCallContext* call;
    if (SRF_IS_FIRSTCALL()) {
        call = SRF_FIRSTCALL_INIT();
        const MemoryContext caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        TupleDesc type;
        get_call_result_type(fcinfo, nullptr, &type);
        call->tuple_desc = BlessTupleDesc(type);
        ImageReply reply;
        request_images({.kind = WorkerKind::kImageExtractors,
                        .images = nullptr,
                        .image_count = 0,
                        .spec = nullptr,
                        .spec_bytes = 0,
                        .thumbnail_size = 0,
                        .may_refuse = false},
                       &reply);
        if (reply.header.byte_count % sizeof(WorkerExtractor) != 0)
            reject_image_reply("A list of extractors has a wrong length.");
        call->max_calls = reply.header.byte_count / sizeof(WorkerExtractor);
        call->user_fctx = palloc(reply.header.byte_count + 1);
        memcpy(call->user_fctx, reply.bytes, reply.header.byte_count);
        MemoryContextSwitchTo(caller);
    }
    call = SRF_PERCALL_SETUP();
    if (call->call_cntr >= call->max_calls) SRF_RETURN_DONE(call);
    WorkerExtractor& extractor = static_cast<WorkerExtractor*>(call->user_fctx)[call->call_cntr];
    extractor.name[sizeof(extractor.name) - 1] = '\0';
    extractor.description[sizeof(extractor.description) - 1] = '\0';
    if (!pg_is_ascii(extractor.name) || !pg_is_ascii(extractor.description) ||
        extractor.kind >= kKindCount || extractor.metric >= kMetricCount)
        reject_image_reply("An extractor is described wrongly.");
    Datum values[] = {CStringGetTextDatum(extractor.name),
                      UInt32GetDatum(extractor.version),
                      UInt32GetDatum(extractor.dims),
                      CStringGetTextDatum(kind_name(static_cast<Kind>(extractor.kind))),
                      CStringGetTextDatum(traits_of(static_cast<Metric>(extractor.metric)).name),
                      CStringGetTextDatum(extractor.description)};
    bool nulls[lengthof(values)] = {};
    SRF_RETURN_NEXT(call, row(call->tuple_desc, values, nulls));
}

SQL_FUNCTION(image_features_batch) {
    return batch_rows(fcinfo, extract_descriptors, PG_GETARG_TEXT_PP(1));
}

SQL_FUNCTION(image_worker_stats) {
    const ImageWorkerStats worker = image_worker_stats();
    const ImageCacheStats cache = image_cache_stats();
    Datum values[] = {Int32GetDatum(worker.worker_pid),     Int64GetDatum(worker.worker_starts),
                      Float8GetDatum(worker.last_start_ms), Int64GetDatum(worker.requests),
                      Int64GetDatum(worker.refused_images), Int64GetDatum(worker.failures),
                      Int64GetDatum(worker.models_loaded),  Float8GetDatum(worker.model_load_ms),
                      BoolGetDatum(worker.is_warm),         Int64GetDatum(worker.models_preloaded),
                      Float8GetDatum(worker.turn_wait_ms),  Int64GetDatum(cache.hits),
                      Int64GetDatum(cache.misses),          Int64GetDatum(cache.entries),
                      Int64GetDatum(cache.bytes),           CStringGetTextDatum(worker.networks)};
    bool nulls[lengthof(values)] = {};
    nulls[0] = nulls[8] = worker.worker_pid == 0;
    PG_RETURN_DATUM(row(row_type(fcinfo), values, nulls));
}

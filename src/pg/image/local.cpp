// Images to local features; docs/LOCAL_FEATURES.md.
#include "pg/image/cache.h"
#include "pg/image/functions.h"
#include "pg/image/settings.h"
#include "pg/image/worker.h"

#include <cstdio>

extern "C" {
#include "funcapi.h"
}

namespace lookalike {
namespace {

/// Arguments `first` to `first` + 2: kind, max_features, mirrored.
LocalWish wish_of(FunctionCallInfo fcinfo, int first) {
    return checked_local_wish(local_kind_of(PG_GETARG_TEXT_PP(first)), PG_GETARG_INT32(first + 1),
                              PG_GETARG_BOOL(first + 2));
}

bool ask(const ImageBytes* images, uint32 image_count, const LocalWish& wish, bool may_refuse,
         ImageReply* reply) {
    return request_images({.kind = WorkerKind::kImageLocalFeatures,
                           .images = images,
                           .image_count = image_count,
                           .spec = nullptr,
                           .spec_bytes = 0,
                           .thumbnail_size = 0,
                           .may_refuse = may_refuse,
                           .local = wish},
                          reply);
}

ImageKey key_of(const ImageBytes& image, const LocalWish& wish) {
    char spec[64];
    const int length = snprintf(spec, sizeof(spec), "%s@%d:%u:%d", local_kind_name(wish.kind),
                                local_version(wish.kind), wish.max_features, wish.mirrored);
    return image_key(WorkerKind::kImageLocalFeatures, image.bytes, image.byte_count, spec,
                     static_cast<size_t>(length), nullptr);
}

void extract_chunk(const ImageBytes* images, uint32 count, void* wish, varlena** features) {
    const auto& wanted = *static_cast<LocalWish*>(wish);
    ImageReply reply;
    ask(images, count, wanted, false, &reply);
    uint64 offset = 0;
    for (uint32 i = 0; i < count; ++i)
        features[i] = reinterpret_cast<varlena*>(reply_local_features(reply, wanted, &offset));
}

}  // namespace

LocalWish checked_local_wish(LocalKind kind, int32 max_features, bool mirrored) {
    if (max_features < 1 || max_features > static_cast<int32>(kMaxLocalFeatures))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("max_features must be between 1 and %u", kMaxLocalFeatures)));
    return {.kind = kind, .max_features = static_cast<uint32>(max_features), .mirrored = mirrored};
}

LocalValue* local_features_of(bytea* image, const LocalWish& wish, bool may_refuse) {
    const ImageBytes bytes = bytes_of(image);
    const bool use_cache = image_cache_bytes() > 0;
    ImageKey key = {};
    if (use_cache) {
        key = key_of(bytes, wish);
        varlena* cached = find_cached_features(key);
        if (cached != nullptr) return reinterpret_cast<LocalValue*>(cached);
    }
    ImageReply reply;
    if (!ask(&bytes, 1, wish, may_refuse, &reply)) return nullptr;
    uint64 offset = 0;
    LocalValue* value = reply_local_features(reply, wish, &offset);
    if (use_cache) cache_features(key, reinterpret_cast<varlena*>(value));
    return value;
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(image_local_features) {
    PG_RETURN_POINTER(local_features_of(PG_GETARG_BYTEA_PP(0), wish_of(fcinfo, 1), false));
}

SQL_FUNCTION(image_local_features_or_null) {
    LocalValue* value = local_features_of(PG_GETARG_BYTEA_PP(0), wish_of(fcinfo, 1), true);
    if (value == nullptr) PG_RETURN_NULL();
    PG_RETURN_POINTER(value);
}

SQL_FUNCTION(image_local_features_file) {
    PG_RETURN_POINTER(of_image_file(PG_GETARG_DATUM(0), [&](bytea* image) {
        return local_features_of(image, wish_of(fcinfo, 1), false);
    }));
}

SQL_FUNCTION(image_local_features_batch) {
    LocalWish wish = {};
    if (SRF_IS_FIRSTCALL()) wish = wish_of(fcinfo, 1);
    return batch_rows(fcinfo, extract_chunk, &wish);
}

SQL_FUNCTION(image_draw_matches) {
    const ImageBytes images[] = {bytes_of(PG_GETARG_BYTEA_PP(0)), bytes_of(PG_GETARG_BYTEA_PP(1))};
    const LocalWish wish =
        checked_local_wish(local_kind_of(PG_GETARG_TEXT_PP(2)), PG_GETARG_INT32(3), false);
    ImageReply reply;
    request_images({.kind = WorkerKind::kImageDrawMatches,
                    .images = images,
                    .image_count = lengthof(images),
                    .spec = nullptr,
                    .spec_bytes = 0,
                    .thumbnail_size = checked_picture_size(PG_GETARG_INT32(4), "a drawing"),
                    .may_refuse = false,
                    .local = wish},
                   &reply);
    PG_RETURN_BYTEA_P(reply_file(reply));
}

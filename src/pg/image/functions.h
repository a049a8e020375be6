// What SQL functions on images share.
#pragma once

#include "pg/image/worker.h"

namespace lookalike {

/// Descriptor of an image, from a cache or the session's worker; palloc'd. Null when may_refuse is
/// set and the image cannot be used.
Descriptor* features_of(bytea* image, text* spec, bool may_refuse);

/// The same by kImageFeatures or kTextFeatures, whose bytes are a text in UTF-8.
Descriptor* features_of_bytes(WorkerKind kind, ImageBytes bytes, text* spec, bool may_refuse);

/// Raises when `max_features` is out of range.
LocalWish checked_local_wish(LocalKind kind, int32 max_features, bool mirrored);

/// The same as features_of(), of local features.
LocalValue* local_features_of(bytea* image, const LocalWish& wish, bool may_refuse);

ImageBytes bytes_of(bytea* image);

/// Raises when a picture of so many pixels is not made; `what` is the picture.
uint32 checked_picture_size(int32 size, const char* what);

/// The image file that a reply consists of.
bytea* reply_file(const ImageReply& reply);

/// Error context: the file, whose path is `path`, that an ERROR is about.
void name_image_file(void* path);

/// The bytes of a file of the server, whose own function checks the path and the role's rights to
/// it.
bytea* read_image_file(Datum path);

/// What `extract` makes of the bytes of a file of the server; an ERROR in it names the file.
template <typename Extract>
auto of_image_file(Datum path, Extract&& extract) {
    bytea* image = read_image_file(path);
    ErrorContextCallback context = {.previous = error_context_stack,
                                    .callback = name_image_file,
                                    .arg = text_to_cstring(DatumGetTextPP(path))};
    error_context_stack = &context;
    auto* features = extract(image);
    error_context_stack = context.previous;
    return features;
}

/// The rows of a set-returning function whose first argument is an array of images: what `extract`
/// gives of each, NULL for NULL. It is called with a few images at a time; `wish` is passed on.
using ExtractChunk = void (*)(const ImageBytes* images, uint32 count, void* wish,
                              varlena** features);
Datum batch_rows(FunctionCallInfo fcinfo, ExtractChunk extract, void* wish);

}  // namespace lookalike

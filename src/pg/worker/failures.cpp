#include "pg/worker/failures.h"

namespace lookalike {
namespace {

struct Failure {
    WorkerError error;
    bool blames_image;
    int sqlstate;
    const char* message;  // null: what the worker says, which else is the detail
    const char* hint;     // or null
};

constexpr Failure kFailures[] = {
    {WorkerError::kInvalidInput, false, ERRCODE_DATA_EXCEPTION,
     "the lookalike worker process cannot use the given data", nullptr},
    {WorkerError::kMemory, false, ERRCODE_OUT_OF_MEMORY,
     "out of memory in the lookalike worker process", nullptr},
    {WorkerError::kImageUnreadable, true, ERRCODE_INVALID_BINARY_REPRESENTATION, nullptr,
     "A function whose name ends in _or_null gives NULL for such images."},
    {WorkerError::kImageUnsupported, true, ERRCODE_FEATURE_NOT_SUPPORTED, nullptr,
     "Convert it to JPEG, PNG, WebP, BMP, TIFF, PNM, JPEG 2000, GIF, HEIC or AVIF."},
    {WorkerError::kImageTooLarge, true, ERRCODE_PROGRAM_LIMIT_EXCEEDED, nullptr,
     "A superuser can raise \"lookalike.max_image_pixels\". A function whose name ends in _or_null "
     "gives NULL for such images."},
    {WorkerError::kImageOutOfMemory, true, ERRCODE_PROGRAM_LIMIT_EXCEEDED, nullptr,
     "A superuser can raise \"lookalike.worker_memory\"."},
    {WorkerError::kImageNeedsMemory, true, ERRCODE_PROGRAM_LIMIT_EXCEEDED, nullptr,
     "A superuser can raise \"lookalike.worker_memory\"."},
    {WorkerError::kImageTooSlow, true, ERRCODE_PROGRAM_LIMIT_EXCEEDED, nullptr,
     "Save the image again in a simpler form."},
    {WorkerError::kBadSpec, false, ERRCODE_INVALID_PARAMETER_VALUE, nullptr,
     "A specification is a list such as \"color:0.6+pattern:0.4\"."},
    {WorkerError::kUnknownExtractor, false, ERRCODE_UNDEFINED_OBJECT, nullptr,
     "image_extractors() lists the extractors."},
    {WorkerError::kModel, false, ERRCODE_DATA_EXCEPTION, nullptr, nullptr},
};

// All others, such as a malformed request.
constexpr Failure kRefusal = {WorkerError::kFailed, false, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
                              "the lookalike worker process refused a request", nullptr};

const Failure& failure_of(WorkerError error) {
    for (const Failure& failure : kFailures) {
        if (failure.error == error) return failure;
    }
    return kRefusal;
}

}  // namespace

bool is_sound_after(WorkerError error) {
    return failure_of(error).message == nullptr;
}

bool blames_image(WorkerError error) {
    return failure_of(error).blames_image;
}

void raise_worker_failure(WorkerError error, const char* text, const char* memory_hint,
                          const char* better_hint) {
    const Failure& failure = failure_of(error);
    const char* message = failure.message == nullptr ? text : failure.message;
    const char* detail = failure.message == nullptr ? nullptr : text;
    const char* hint = error == WorkerError::kMemory ? memory_hint : failure.hint;
    if (better_hint != nullptr) hint = better_hint;
    ereport(ERROR, (errcode(failure.sqlstate), errmsg_internal("%s", message),
                    detail == nullptr ? 0 : errdetail_internal("%s", detail),
                    hint == nullptr ? 0 : errhint("%s", hint)));
    pg_unreachable();
}

}  // namespace lookalike

// The session's image worker: started by the first image function, kept between statements,
// replaced when it has died. What comes back from it has been copied and checked.
//
// Every function may ereport.
#pragma once

#include "pg/local/value.h"
#include "pg/type/descriptor.h"

#include "core/protocol/worker.h"

namespace lookalike {

/// Larger files are refused: they would have to be copied into shared memory whole.
constexpr uint64 kMaxImageBytes = UINT64CONST(256) << 20;

struct ImageBytes {
    const void* bytes;
    uint64 byte_count;
};

/// What kImageLocalFeatures looks for.
struct LocalWish {
    LocalKind kind;
    uint32 max_features;  ///< 1 to kMaxLocalFeatures
    bool mirrored;
};

struct ImageRequest {
    WorkerKind kind;
    const ImageBytes* images;
    uint32 image_count;
    const char* spec;  ///< kImageFeatures, spec_bytes long
    uint32 spec_bytes;
    uint32 thumbnail_size;  ///< kImageThumbnail, kImageDrawMatches
    bool may_refuse;        ///< images that cannot be used are an answer, not an ERROR
    LocalWish local = {};   ///< kImageLocalFeatures, kImageDrawMatches
};

/// A checked header; `bytes` lie in the shared area: to be copied before they are checked, and
/// gone with the next request.
struct ImageReply {
    WorkerImageResult header;
    const char* bytes;
    char text[kWorkerTextBytes + 1];
};

/// Asks and waits. False when may_refuse is set and an image cannot be used: it is unreadable, of
/// an unsupported format, or takes more pixels, memory or processor time than it may. Everything
/// else that goes wrong is an ERROR.
bool request_images(const ImageRequest& request, ImageReply* reply);

/// Which image the last request ended with, or is at. False when it was none's fault, as far as is
/// known.
bool failed_image(uint64* index);

/// True when an extractor specification may name a network or a codebook.
bool names_registered(const char* spec, size_t spec_bytes);

/// Descriptor `index` of a reply to kImageFeatures, palloc'd and checked.
Descriptor* reply_descriptor(const ImageReply& reply, uint32 image_count, uint32 index);

/// The value that lies at `offset` of a reply to kImageLocalFeatures, palloc'd and checked; moves
/// `offset` behind it.
LocalValue* reply_local_features(const ImageReply& reply, const LocalWish& wish, uint64* offset);

/// Loads a network into the session's worker; returns the dimensions of its descriptors. `config`
/// is complete but for its texts' ends, which the worker checks.
uint32 load_model_into_worker(const WorkerModelConfig& config, ImageBytes onnx);

/// The same with a network that the warm parent holds; false when it holds none that is equal in
/// digest and settings.
bool find_preloaded_model(const WorkerModelConfig& config);

/// Kills the worker for an answer that makes no sense.
[[noreturn]] void reject_image_reply(const char* fault);

/// Ends the session's worker; the next request starts another one.
void stop_image_worker();

/// What image_worker_stats() shows of this session.
struct ImageWorkerStats {
    int worker_pid;  ///< 0: none
    bool is_warm;    ///< forked from the warm parent
    int64 worker_starts;
    double last_start_ms;  ///< from the fork to the first answer
    int64 requests;
    int64 refused_images;
    int64 failures;  ///< requests that ended in an ERROR, cancels included
    int64 models_loaded;
    int64 models_preloaded;  ///< found in the warm parent's memory
    double model_load_ms;
    double turn_wait_ms;
    char networks[1024];  ///< of the worker: "name@version: engine", one after the other
};
ImageWorkerStats image_worker_stats();

}  // namespace lookalike

#include "pg/image/worker.h"

#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "pg/image/models.h"
#include "pg/image/settings.h"
#include "pg/worker/client.h"
#include "pg/worker/failures.h"
#include "pg/worker/turns.h"

extern "C" {
#include "utils/memutils.h"
#include "utils/timestamp.h"
}

namespace lookalike {
namespace {

/// Enough for most photos; a larger one starts a worker with a larger area.
constexpr uint64 kMinSharedBytes = UINT64CONST(8) << 20;
/// Where networks are wanted: most come through it as well, without a second start.
constexpr uint64 kNetworkSharedBytes = UINT64CONST(32) << 20;
/// Loading the libraries on a busy machine.
constexpr int kStartTimeoutMs = 60000;
/// The worker counts its idle time from its last answer: never ask one that may just be leaving.
constexpr int kIdleMarginMs = 1000;
/// Class 38 is that of external routines; PostgreSQL has no code for one that takes too long.
constexpr int kTimeoutErrcode = MAKE_SQLSTATE('3', '8', 'L', '0', '1');
/// A specification has few networks; more rounds mean that they push each other out.
constexpr int kMaxModelLoads = 16;

struct Session {
    MemoryContext context;  ///< owns `worker`
    Worker* worker;
    int idle_ms;
    bool is_fresh;  ///< no image has taken memory of it yet
    TimestampTz last_used;
    uint32 image_count;    ///< of the last request
    uint64_t images_read;  ///< of these, as the worker says
    bool blames_image;     ///< what goes wrong is about the one after those
    ImageWorkerStats stats;
};
Session session;

double ms_since(TimestampTz start) {
    return static_cast<double>(GetCurrentTimestamp() - start) / 1000.0;
}

[[noreturn]] void report_timeout(int timeout_ms) {
    ereport(ERROR, (errcode(kTimeoutErrcode),
                    errmsg("the lookalike worker process did not answer within %d ms", timeout_ms),
                    errhint("Raise \"lookalike.worker_timeout\".")));
    pg_unreachable();
}

void start_worker(uint64 shared_bytes) {
    stop_image_worker();
    session.context =
        AllocSetContextCreate(TopMemoryContext, "lookalike image worker", ALLOCSET_SMALL_SIZES);
    const WorkerLimits limits{.shared_bytes = shared_bytes,
                              .thread_count = 1,
                              .memory_budget_bytes = worker_memory_bytes(),
                              .idle_ms = worker_idle_ms(),
                              .is_image_worker = true};
    const TimestampTz start = GetCurrentTimestamp();
    const MemoryContext caller = MemoryContextSwitchTo(session.context);
    // Until it has answered, the statement owns it: an ERROR ends it.
    Worker* worker = worker_start(&limits);
    MemoryContextSwitchTo(caller);
    WorkerRequest request;
    WorkerReply reply;
    char text[kWorkerTextBytes + 1];
    request.kind = WorkerKind::kVersions;
    worker_request(worker, &request);
    const WorkerPatience patience = {
        .timeout_ms = kStartTimeoutMs, .step_cpu_ms = 0, .step_count = 0};
    uint64_t steps_done;
    if (worker_await(worker, &patience, &reply, text, &steps_done) != WorkerOutcome::kReplied)
        report_timeout(kStartTimeoutMs);
    worker_keep(worker);
    session.worker = worker;
    session.is_fresh = true;
    session.idle_ms = limits.idle_ms;
    session.last_used = GetCurrentTimestamp();
    ++session.stats.worker_starts;
    session.stats.last_start_ms = ms_since(start) - worker->turn_wait_ms;
    session.stats.turn_wait_ms += worker->turn_wait_ms;
}

bool is_open_and_silent(int socket) {
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/// False when it has died since its last answer, or said something that nobody asked for.
bool is_quiet_and_alive(const Worker* worker) {
    return worker->pid > 0 && !worker->request_in_flight && is_open_and_silent(worker->socket) &&
           (worker->lease < 0 || is_open_and_silent(worker->lease));
}

/// The session's worker, in its turn, with a shared area of at least so many bytes.
Worker* ready_worker(uint64 shared_bytes) {
    Worker* worker = session.worker;
    const bool usable = worker != nullptr && is_quiet_and_alive(worker) &&
                        worker->limits.shared_bytes >= shared_bytes &&
                        worker->limits.memory_budget_bytes == worker_memory_bytes() &&
                        ms_since(session.last_used) < session.idle_ms - kIdleMarginMs &&
                        resume_turn();
    if (!usable) {
        uint64 size = kMinSharedBytes;
        while (size < shared_bytes)
            size *= 2;
        start_worker(size);
    }
    return session.worker;
}

[[noreturn]] void report_image_error(WorkerError error, const char* text,
                                     const char* better_hint = nullptr) {
    if (!is_sound_after(error)) stop_image_worker();
    // Of memory it says no more than that it lacks it; what it holds by now may be what is missing.
    raise_worker_failure(error, error == WorkerError::kMemory ? nullptr : text,
                         "A superuser can raise \"lookalike.worker_memory\".", better_hint);
}

/// Bytes that are no image, but one short line with a slash or a point: '/srv/a.jpg' is read as
/// bytes where bytea is wanted.
bool looks_like_path(const ImageBytes& image) {
    if (image.byte_count == 0 || image.byte_count >= MAXPGPATH) return false;
    const std::string_view text(static_cast<const char*>(image.bytes), image.byte_count);
    const auto is_printable = [](unsigned char c) { return c >= ' ' && c != 0x7f; };
    return std::all_of(text.begin(), text.end(), is_printable) &&
           text.find_first_of("/.") != std::string_view::npos;
}

/// False when the files are too many bytes.
bool fits(const ImageRequest& request) {
    uint64 total = 0;
    for (uint32 i = 0; i < request.image_count; ++i)
        total += request.images[i].byte_count;
    if (total <= kMaxImageBytes) return true;
    if (request.may_refuse) return false;
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("image file of " UINT64_FORMAT " bytes is too large", total),
                    errdetail("The limit is " UINT64_FORMAT " bytes.", kMaxImageBytes)));
    pg_unreachable();
}

/// Room for what the worker gives back; it overwrites the images.
uint64 result_bytes(const ImageRequest& request) {
    uint64 bytes = element_bytes(Kind::kReal, kMaxDims) * Max(request.image_count, 1);
    if (request.kind == WorkerKind::kImageLocalFeatures)
        bytes = local_features_bytes(request.local.kind, request.local.max_features) *
                request.image_count;
    if (request.kind == WorkerKind::kImageThumbnail)
        // A PNG of pixels that do not compress, and its frame.
        bytes = uint64{request.thumbnail_size} * request.thumbnail_size * 5 + 65536;
    if (request.kind == WorkerKind::kImageDrawMatches)
        bytes = uint64{request.thumbnail_size} * (2 * request.thumbnail_size + 64) * 3 + 65536;
    return sizeof(WorkerImageResult) + bytes;
}

/// Where the parts of a request lie in the shared area; writes them when `shared` is there.
/// Returns the bytes that they take.
uint64 lay_out(const ImageRequest& request, char* shared, WorkerImageRequest* wire) {
    uint64 end = align_in_shared_area(request.image_count * sizeof(WorkerRange));
    wire->images_offset = 0;
    for (uint32 i = 0; i < request.image_count; ++i) {
        const WorkerRange range = {end, request.images[i].byte_count};
        if (shared != nullptr) {
            memcpy(shared + i * sizeof(range), &range, sizeof(range));
            memcpy(shared + end, request.images[i].bytes, range.byte_count);
        }
        end = align_in_shared_area(end + range.byte_count);
    }
    wire->spec_offset = end;
    if (shared != nullptr && request.spec_bytes > 0)
        memcpy(shared + end, request.spec, request.spec_bytes);
    return align_in_shared_area(end + request.spec_bytes);
}

/// As if the worker had said it, which has been killed for it.
void fill_in_slow_reply(WorkerReply* reply, char* text) {
    *reply = {};
    reply->status = WorkerStatus::kError;
    reply->error = WorkerError::kImageTooSlow;
    snprintf(text, kWorkerTextBytes + 1,
             "image takes more than %d ms of processor time to decode, which is "
             "\"lookalike.image_timeout\"",
             image_timeout_ms());
}

/// Sends and waits; counts. The worker decodes `image_count` images, each within its time.
void exchange(Worker* worker, WorkerRequest* request, uint32 image_count, WorkerReply* reply,
              char* text) {
    const WorkerPatience patience = {.timeout_ms = worker_timeout_ms(),
                                     .step_cpu_ms = image_timeout_ms(),
                                     .step_count = image_count};
    ++session.stats.requests;
    ++session.stats.failures;  // until it has not failed
    session.image_count = image_count;
    session.images_read = 0;
    session.blames_image = true;
    worker_request(worker, request);
    const WorkerOutcome outcome =
        worker_await(worker, &patience, reply, text, &session.images_read);
    session.last_used = GetCurrentTimestamp();
    if (outcome == WorkerOutcome::kTimedOut) report_timeout(patience.timeout_ms);
    if (outcome == WorkerOutcome::kSlowStep) return fill_in_slow_reply(reply, text);
    pause_turn();
    if (image_count > 0) session.is_fresh = false;
    if (reply->status == WorkerStatus::kDone) --session.stats.failures;
    session.blames_image = blames_image(reply->error);
}

/// Notes what runs a network; as many as have room.
void note_engine(const WorkerModelConfig& config, const char* engine) {
    if (*engine == '\0') return;
    char entry[kWorkerMaxModelKey + 64];
    char* noted = session.stats.networks;
    const size_t length = strlen(noted);
    snprintf(entry, sizeof(entry), "%s%s: %.40s", length > 0 ? ", " : "", config.key, engine);
    if (length + strlen(entry) < sizeof(session.stats.networks)) strcpy(noted + length, entry);
}

/// Returns the dimensions of its descriptors; 0 when it has to be loaded.
/// `onnx` is empty for kFindModel.
uint32 send_model(WorkerKind kind, const WorkerModelConfig& config, ImageBytes onnx) {
    WorkerRequest message;
    message.kind = kind;
    const uint64 model_offset = align_in_shared_area(sizeof(config));
    message.model = {
        .model_offset = model_offset, .model_bytes = onnx.byte_count, .config_offset = 0};
    Worker* worker = ready_worker(model_offset + onnx.byte_count);
    memcpy(worker->shared, &config, sizeof(config));
    if (onnx.byte_count > 0) memcpy(worker->shared + model_offset, onnx.bytes, onnx.byte_count);
    WorkerReply reply;
    char text[kWorkerTextBytes + 1];
    const TimestampTz start = GetCurrentTimestamp();
    exchange(worker, &message, 0, &reply, text);
    if (reply.error == WorkerError::kModelMissing && kind == WorkerKind::kFindModel) {
        --session.stats.failures;
        return 0;
    }
    if (reply.status != WorkerStatus::kDone) report_image_error(reply.error, text);
    if (reply.list_count == 0 || reply.list_count > kMaxDims)
        reject_image_reply("A network's number of dimensions is out of range.");
    note_engine(config, text);
    ++(onnx.byte_count > 0 ? session.stats.models_loaded : session.stats.models_preloaded);
    session.stats.model_load_ms += ms_since(start);
    return reply.list_count;
}

void copy_result(const Worker* worker, const WorkerImageRequest& wire, ImageReply* reply) {
    memcpy(&reply->header, worker->shared + wire.result_offset, sizeof(reply->header));
    if (reply->header.byte_count > wire.result_bytes - sizeof(reply->header))
        reject_image_reply("A result is longer than its place.");
    reply->bytes = worker->shared + wire.result_offset + sizeof(reply->header);
}

void check_wish(const LocalFeaturesHeader& header, const LocalWish& wish) {
    if (header.kind != wish.kind || header.count > wish.max_features ||
        header.mirrored != static_cast<uint8>(wish.mirrored))
        reject_image_reply("Local features are not those that were wanted.");
}

}  // namespace

bool names_registered(const char* spec, size_t spec_bytes) {
    if (spec == nullptr) return false;
    for (const char* source : {"net:", "bow:", "vlad:", "fisher:"})
        if (memmem(spec, spec_bytes, source, strlen(source)) != nullptr) return true;
    return false;
}

bool failed_image(uint64* index) {
    *index = session.images_read;
    return session.blames_image && session.images_read < session.image_count;
}

bool request_images(const ImageRequest& request, ImageReply* reply) {
    session.blames_image = false;
    if (!fits(request)) return false;
    WorkerRequest message;
    message.kind = request.kind;
    message.image = {};
    message.image.max_pixels = max_image_pixels();
    message.image.image_count = request.image_count;
    message.image.spec_bytes = request.spec_bytes;
    message.image.thumbnail_size = request.thumbnail_size;
    message.image.local_kind = static_cast<uint32>(request.local.kind);
    message.image.max_features = request.local.max_features;
    message.image.mirrored = request.local.mirrored;
    const uint64 result_room = result_bytes(request);
    uint64 needed = Max(lay_out(request, nullptr, &message.image), result_room);
    // A warm worker may have the network; if not, starting another one costs little.
    if (names_registered(request.spec, request.spec_bytes) && !turns_are_counted())
        needed = Max(needed, kNetworkSharedBytes);
    for (int loads = 0;; ++loads) {
        Worker* worker = ready_worker(needed);
        const bool was_fresh = session.is_fresh;
        lay_out(request, worker->shared, &message.image);
        message.image.result_bytes = result_room;
        WorkerReply answer;
        exchange(worker, &message, request.image_count, &answer, reply->text);
        if (answer.status == WorkerStatus::kDone) {
            copy_result(worker, message.image, reply);
            return true;
        }
        if (answer.error == WorkerError::kModelMissing && loads < kMaxModelLoads) {
            --session.stats.failures;
            load_registered_model(reply->text);
            continue;
        }
        if (answer.error == WorkerError::kImageOutOfMemory && !was_fresh) {
            // Images before it may have what it lacks. Of a fresh worker it can have all.
            --session.stats.failures;
            stop_image_worker();
            continue;
        }
        if (request.may_refuse && blames_image(answer.error)) {
            --session.stats.failures;
            ++session.stats.refused_images;
            return false;
        }
        if (answer.error == WorkerError::kModelMissing)
            ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                            errmsg("the networks of this specification do not fit into memory"),
                            errhint("A superuser can raise \"lookalike.worker_memory\".")));
        const bool is_path = blames_image(answer.error) && request.image_count == 1 &&
                             looks_like_path(request.images[0]);
        report_image_error(answer.error, reply->text,
                           is_path
                               ? "An image is its bytes, not a path: a function whose name ends in "
                                 "_file reads a file of the server."
                               : nullptr);
    }
}

Descriptor* reply_descriptor(const ImageReply& reply, uint32 image_count, uint32 index) {
    const WorkerImageResult& header = reply.header;
    // Extractors give real numbers or bits.
    const bool real = header.kind == static_cast<uint32>(Kind::kReal);
    const Kind kind = real ? Kind::kReal : Kind::kBit;
    if (!real && header.kind != static_cast<uint32>(Kind::kBit))
        reject_image_reply("A descriptor is of an unknown kind.");
    if (header.dims == 0 || header.dims > max_dims(kind))
        reject_image_reply("A descriptor's number of dimensions is out of range.");
    const size_t bytes = element_bytes(kind, header.dims);
    if (header.byte_count != bytes * image_count)
        reject_image_reply("A descriptor has a wrong length.");
    Descriptor* descriptor = make_descriptor(kind, header.dims);
    // Copied before it is checked: the worker could change the shared area in between.
    memcpy(descriptor->data, reply.bytes + index * bytes, bytes);
    if (real) {
        for (uint32 i = 0; i < header.dims; ++i)
            if (!std::isfinite(descriptor->reals()[i]))
                reject_image_reply("A descriptor has an element that is not finite.");
    } else if (header.dims % 8 != 0 &&
               (descriptor->data[bytes - 1] & (0xff >> (header.dims % 8))) != 0) {
        reject_image_reply("A descriptor has bits behind its end.");
    }
    return descriptor;
}

LocalValue* reply_local_features(const ImageReply& reply, const LocalWish& wish, uint64* offset) {
    LocalFeaturesHeader header;
    const uint64 left = reply.header.byte_count - *offset;
    if (left < sizeof(header)) reject_image_reply("Local features are missing.");
    memcpy(&header, reply.bytes + *offset, sizeof(header));
    check_wish(header, wish);
    const uint64 bytes = local_features_bytes(header.kind, header.count);
    if (left < bytes) reject_image_reply("Local features have a wrong length.");
    LocalValue* value = make_local_value(header.kind, header.count);
    // Copied before they are checked: the worker could change the shared area in between.
    memcpy(value->bytes, reply.bytes + *offset, bytes);
    const char* fault = local_features_fault({value->bytes, bytes});
    if (fault != nullptr) reject_image_reply(fault);
    check_wish(value->view().header, wish);
    *offset += bytes;
    return value;
}

bool find_preloaded_model(const WorkerModelConfig& config) {
    if (session.worker == nullptr || session.worker->lease < 0) return false;
    return send_model(WorkerKind::kFindModel, config, {nullptr, 0}) > 0;
}

uint32 load_model_into_worker(const WorkerModelConfig& config, ImageBytes onnx) {
    return send_model(WorkerKind::kLoadModel, config, onnx);
}

void reject_image_reply(const char* fault) {
    stop_image_worker();
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_INVOCATION_EXCEPTION),
                    errmsg("the lookalike worker process gave an answer that makes no sense"),
                    errdetail("%s", fault),
                    errhint("Check that library and worker program are of one version.")));
    pg_unreachable();
}

void stop_image_worker() {
    // The context's callback stops the process, also one whose start was cut short.
    if (session.context != nullptr) MemoryContextDelete(session.context);
    session.context = nullptr;
    session.worker = nullptr;
    session.stats.networks[0] = '\0';
}

ImageWorkerStats image_worker_stats() {
    ImageWorkerStats stats = session.stats;
    stats.worker_pid = session.worker != nullptr ? session.worker->pid : 0;
    stats.is_warm = session.worker != nullptr && session.worker->lease >= 0;
    return stats;
}

}  // namespace lookalike

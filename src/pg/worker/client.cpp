#include "pg/worker/client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <cmath>

#include "core/codebook/codebook.h"
#include "pg/run_core.h"
#include "pg/worker/failures.h"
#include "pg/worker/socket_wait.h"
#include "pg/worker/warm_client.h"

namespace lookalike {
namespace {

/// A reply as it came, with room for a closing zero.
struct Received {
    WorkerReply header;
    char text[kWorkerTextBytes + 1];
};

[[noreturn]] void report_death(Worker* worker) {
    const uint64 budget_mb = worker->limits.memory_budget_bytes >> 20;
    const int status = worker_stop(worker);
    char how[128];
    if (status == kUnknownWaitStatus)
        strlcpy(how, "The warm parent, which could tell how, is busy or ended as well.",
                sizeof(how));
    else if (WIFSIGNALED(status))
        snprintf(how, sizeof(how), "It was ended by signal %d: %s.", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof(how), "It ended with exit code %d.", WEXITSTATUS(status));
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                    errmsg("the lookalike worker process ended unexpectedly"),
                    errdetail("%s It was allowed %llu MB beyond its libraries.", how,
                              static_cast<unsigned long long>(budget_mb)),
                    errhint("Try again. The server log may hold the worker's last words; if it ran "
                            "out of memory, give it more.")));
}

[[noreturn]] void report_nonsense(Worker* worker, const char* fault) {
    worker_stop(worker);
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_INVOCATION_EXCEPTION),
                    errmsg("the lookalike worker process gave an answer that makes no sense"),
                    errdetail("%s", fault),
                    errhint("Check that library and worker program are of one version.")));
}

/// The text goes to logs and terminals: nothing but printable ASCII and line ends.
void clean_text(char* text) {
    for (; *text; ++text)
        if (*text != '\n' && (*text < ' ' || *text > '~')) *text = '?';
}

/// False when nothing has come yet.
bool receive(Worker* worker, Received* received) {
    struct iovec part = {received, sizeof(received->header) + kWorkerTextBytes};
    struct msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    // A worker that passes descriptors has them discarded by the kernel: there is no room for them.
    const ssize_t length = recvmsg(worker->socket, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (length <= 0) report_death(worker);

    const WorkerReply& header = received->header;
    if (static_cast<size_t>(length) < sizeof(header) || header.text_bytes > kWorkerTextBytes ||
        static_cast<size_t>(length) != sizeof(header) + header.text_bytes)
        report_nonsense(worker, "A reply has a wrong length.");
    if (header.magic != kWorkerMagic || header.version != kWorkerVersion)
        report_nonsense(worker, "A reply is of another protocol.");
    if (header.request_id != worker->request_id ||
        static_cast<uint16>(header.kind) != worker->request_kind)
        report_nonsense(worker, "A reply belongs to no request.");
    received->text[header.text_bytes] = '\0';
    clean_text(received->text);
    return true;
}

/// Reads what is there: true when it is the final reply; a progress reply is noted.
bool receive_last(Worker* worker, Received* received, bool* has_progressed) {
    *has_progressed = false;
    if (!receive(worker, received)) return false;
    const WorkerReply& header = received->header;
    *has_progressed = header.status == WorkerStatus::kProgress;
    if (*has_progressed && header.step > header.step_count)
        report_nonsense(worker, "A progress reply counts more steps than there are.");
    if (*has_progressed) return false;
    worker->request_in_flight = false;
    if (header.status != WorkerStatus::kDone && header.status != WorkerStatus::kError)
        report_nonsense(worker, "A reply has an unknown status.");
    return true;
}

void require_in_flight(const Worker* worker) {
    if (!worker->request_in_flight) elog(ERROR, "no request to the lookalike worker is in flight");
}

void wait_for_reply(Worker* worker, Received* received, WorkerProgress progress, void* argument) {
    require_in_flight(worker);
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        bool has_progressed;
        if (receive_last(worker, received, &has_progressed)) return;
        if (!has_progressed)
            wait_for_socket(worker->socket, kNoDeadline);
        else if (progress)
            progress(received->header.step, received->header.step_count, argument);
    }
}

/// Processor time of a worker; 0 where the system does not tell.
int64 cpu_ms(const Worker* worker) {
    clockid_t clock;
    timespec time;
    if (clock_getcpuclockid(worker->pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return static_cast<int64>(time.tv_sec) * 1000 + time.tv_nsec / 1000000;
}

/// A step in which a worker may use so much processor time and no more.
struct LimitedStep {
    int limit_ms;  ///< 0: none
    int64 cpu_ms_before;
    TimestampTz next_look;  ///< one thread cannot have used it up before
};

LimitedStep begin_step(const Worker* worker, int limit_ms) {
    if (limit_ms == 0) return {.limit_ms = 0, .cpu_ms_before = 0, .next_look = kNoDeadline};
    return {.limit_ms = limit_ms,
            .cpu_ms_before = cpu_ms(worker),
            .next_look = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), limit_ms)};
}

bool is_over_its_limit(const Worker* worker, TimestampTz now, LimitedStep* step) {
    if (step->limit_ms == 0 || now < step->next_look) return false;
    const int64 left_ms = step->limit_ms - (cpu_ms(worker) - step->cpu_ms_before);
    if (left_ms <= 0) return true;
    step->next_look = TimestampTzPlusMilliseconds(now, left_ms);
    return false;
}

/// Sends a request, waits for its end, with no progress and no text.
void ask(Worker* worker, WorkerRequest* request) {
    WorkerReply reply;
    worker_request(worker, request);
    worker_wait(worker, &reply, nullptr, nullptr, nullptr);
}

/// The caller's own mistake, not the worker's.
void require_range(const Worker* worker, uint64 offset, uint64 count, uint64 item_bytes) {
    if (!lies_in_shared_area(worker->limits.shared_bytes, offset, count, item_bytes))
        elog(ERROR, "a range lies outside of the worker's shared area");
}

}  // namespace

void worker_request(Worker* worker, WorkerRequest* request) {
    if (worker->pid == 0 || worker->request_in_flight)
        elog(ERROR, "the lookalike worker cannot take a request now");
    request->magic = kWorkerMagic;
    request->version = kWorkerVersion;
    request->request_id = ++worker->request_id;
    worker->request_kind = static_cast<uint16>(request->kind);
    ssize_t sent;
    do {
        sent = send(worker->socket, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) report_death(worker);
    worker->request_in_flight = true;
}

void worker_wait(Worker* worker, WorkerReply* reply, char* text, WorkerProgress progress,
                 void* argument) {
    Received received;
    wait_for_reply(worker, &received, progress, argument);
    if (received.header.status == WorkerStatus::kError)
        raise_worker_failure(received.header.error, received.text,
                             "Raise \"maintenance_work_mem\".");
    *reply = received.header;
    if (text) strlcpy(text, received.text, kWorkerTextBytes + 1);
}

WorkerOutcome worker_await(Worker* worker, const WorkerPatience* patience, WorkerReply* reply,
                           char* text, uint64_t* steps_done) {
    Received received;
    const TimestampTz deadline =
        TimestampTzPlusMilliseconds(GetCurrentTimestamp(), patience->timeout_ms);
    const auto limit_of = [patience](uint64_t step) {
        return step < patience->step_count ? patience->step_cpu_ms : 0;
    };
    *steps_done = 0;
    require_in_flight(worker);
    for (LimitedStep step = begin_step(worker, limit_of(0));;) {
        CHECK_FOR_INTERRUPTS();
        // Also when replies keep coming: progress without end is no answer.
        const TimestampTz now = GetCurrentTimestamp();
        const bool is_late = now >= deadline;
        if (is_late || is_over_its_limit(worker, now, &step)) {
            worker_stop(worker);
            return is_late ? WorkerOutcome::kTimedOut : WorkerOutcome::kSlowStep;
        }
        bool has_progressed;
        if (receive_last(worker, &received, &has_progressed)) break;
        if (has_progressed)
            step = begin_step(worker, limit_of(++*steps_done));
        else
            wait_for_socket(worker->socket, Min(deadline, step.next_look));
    }
    *reply = received.header;
    strlcpy(text, received.text, kWorkerTextBytes + 1);
    return WorkerOutcome::kReplied;
}

uint32_t worker_train(Worker* worker, const WorkerTraining* training, float* centroids,
                      WorkerProgress progress, void* argument) {
    const uint64 row_bytes = training->dims * uint64{sizeof(float)};
    require_range(worker, training->rows_offset, training->row_count, row_bytes);
    require_range(worker, training->centroids_offset, training->list_count, row_bytes);
    WorkerRequest request;
    request.kind = WorkerKind::kTrain;
    request.train = {
        .rows_offset = training->rows_offset,
        .centroids_offset = training->centroids_offset,
        .row_count = training->row_count,
        .list_count = training->list_count,
        .dims = training->dims,
        .iteration_count = training->iteration_count,
        .aim = static_cast<uint32>(training->aim),
    };
    WorkerReply reply;
    worker_request(worker, &request);
    worker_wait(worker, &reply, nullptr, progress, argument);
    if (reply.list_count == 0 || reply.list_count > training->list_count)
        report_nonsense(worker, "The number of centroids is out of range.");
    // Copied before it is checked: the worker could change the shared area in between.
    memcpy(centroids, worker->shared + training->centroids_offset, reply.list_count * row_bytes);
    for (uint64 i = 0; i < uint64{reply.list_count} * training->dims; ++i)
        if (!std::isfinite(centroids[i])) report_nonsense(worker, "A centroid is not finite.");
    return reply.list_count;
}

uint64_t worker_projection_result_bytes(uint32_t dims) {
    const uint64 room = Min(dims, kMaxComponents);
    return sizeof(WorkerProjectionResult) + (dims + UINT64CONST(1)) * room * sizeof(float);
}

WorkerProjectionResult worker_train_projection(Worker* worker,
                                               const WorkerProjectionTraining* training,
                                               float* values) {
    const uint64 point_count =
        training->mark_count * (training->aim == ProjectionAim::kPairs ? 2 : 1);
    require_range(worker, training->points_offset, point_count, training->dims * sizeof(float));
    require_range(worker, training->marks_offset, training->mark_count, sizeof(uint64));
    require_range(worker, training->result_offset, 1,
                  worker_projection_result_bytes(training->dims));
    WorkerRequest request;
    request.kind = WorkerKind::kTrainProjection;
    request.projection = {
        .points_offset = training->points_offset,
        .marks_offset = training->marks_offset,
        .result_offset = training->result_offset,
        .mark_count = training->mark_count,
        .dims = training->dims,
        .dims_out = training->dims_out,
        .aim = static_cast<uint32>(training->aim),
        .padding = 0,
    };
    ask(worker, &request);
    WorkerProjectionResult result;
    memcpy(&result, worker->shared + training->result_offset, sizeof(result));
    if (result.dims_out > Min(training->dims, kMaxComponents))
        report_nonsense(worker, "The dimensions of a projection are out of range.");
    const uint64 count = (training->dims + UINT64CONST(1)) * result.dims_out;
    memcpy(values, worker->shared + training->result_offset + sizeof(result),
           count * sizeof(float));
    for (uint64 i = 0; i < count; ++i)
        if (!std::isfinite(values[i]))
            report_nonsense(worker, "A number of a projection is not finite.");
    return result;
}

namespace {

/// Null where the bytes are a codebook like that.
const char* codebook_fault(const WorkerCodebookRequest& wanted, const std::byte* bytes,
                           uint64 byte_count) {
    try {
        const CodebookHeader header = parse_codebook({bytes, byte_count}).header;
        const bool is_right = header.aim == static_cast<CodebookAim>(wanted.aim) &&
                              header.kind == static_cast<LocalKind>(wanted.kind) &&
                              header.max_features == wanted.max_features &&
                              header.word_count <= wanted.word_count &&
                              (!header.is_reduced || header.dims <= wanted.dims);
        return is_right ? nullptr : "A codebook is not the one that was wanted.";
    } catch (const InvalidCodebook&) {
        return "A codebook is none.";
    }
}

}  // namespace

void* worker_train_codebook(Worker* worker, const WorkerCodebookTraining* training,
                            uint64_t* byte_count) {
    const WorkerCodebookRequest& wanted = training->request;
    require_range(worker, wanted.pictures_offset, wanted.picture_count, sizeof(WorkerRange));
    require_range(worker, wanted.result_offset, wanted.result_bytes, 1);
    WorkerRequest request;
    request.kind = WorkerKind::kTrainCodebook;
    request.codebook = wanted;
    WorkerReply reply;
    worker_request(worker, &request);
    worker_wait(worker, &reply, nullptr, training->progress, training->argument);
    WorkerCodebookResult result;
    memcpy(&result, worker->shared + wanted.result_offset, sizeof(result));
    if (result.byte_count > wanted.result_bytes - sizeof(result))
        report_nonsense(worker, "A codebook is longer than its place.");
    auto* bytes =
        static_cast<std::byte*>(MemoryContextAllocHuge(CurrentMemoryContext, result.byte_count));
    memcpy(bytes, worker->shared + wanted.result_offset + sizeof(result), result.byte_count);
    const char* fault = run_core([&] { return codebook_fault(wanted, bytes, result.byte_count); });
    if (fault != nullptr) report_nonsense(worker, fault);
    *byte_count = result.byte_count;
    return bytes;
}

void worker_set_centroids(Worker* worker, const WorkerCentroids* centroids) {
    require_range(worker, centroids->offset, centroids->list_count,
                  worker_row_bytes(centroids->kind, centroids->dims));
    WorkerRequest request;
    request.kind = WorkerKind::kSetCentroids;
    request.set_centroids = {
        .centroids_offset = centroids->offset,
        .list_count = centroids->list_count,
        .dims = centroids->dims,
        .kind = static_cast<uint32>(centroids->kind),
        .padding = 0,
    };
    ask(worker, &request);
    worker->list_count = centroids->list_count;
    worker->dims = centroids->dims;
    worker->kind = centroids->kind;
}

WorkerBatch worker_batch(int which, uint64_t room_for_rows, uint32_t dims, Kind kind) {
    const uint64_t rows_bytes = align_in_shared_area(room_for_rows * worker_row_bytes(kind, dims));
    const uint64_t ids_bytes = align_in_shared_area(sizeof(uint32_t) * room_for_rows);
    const uint64_t distance_bytes = align_in_shared_area(sizeof(float) * room_for_rows);
    const uint64_t start = static_cast<uint64_t>(which) * (rows_bytes + ids_bytes + distance_bytes);
    return {.rows_offset = start,
            .list_ids_offset = start + rows_bytes,
            .distances_offset = start + rows_bytes + ids_bytes,
            .row_count = 0,
            .dims = dims,
            .kind = kind};
}

void worker_assign_begin(Worker* worker, const WorkerBatch* batch) {
    if (batch->dims == 0 || batch->dims != worker->dims || batch->kind != worker->kind)
        elog(ERROR, "rows to assign have another shape than the centroids");
    require_range(worker, batch->rows_offset, batch->row_count,
                  worker_row_bytes(batch->kind, batch->dims));
    require_range(worker, batch->list_ids_offset, batch->row_count, sizeof(uint32_t));
    require_range(worker, batch->distances_offset, batch->row_count, sizeof(float));
    WorkerRequest request;
    request.kind = WorkerKind::kAssign;
    request.assign = {
        .rows_offset = batch->rows_offset,
        .list_ids_offset = batch->list_ids_offset,
        .distances_offset = batch->distances_offset,
        .row_count = batch->row_count,
        .dims = batch->dims,
        .kind = static_cast<uint32>(batch->kind),
    };
    worker_request(worker, &request);
}

void worker_assign_end(Worker* worker, const WorkerBatch* batch, uint32_t* list_ids,
                       float* distances) {
    WorkerReply reply;
    worker_wait(worker, &reply, nullptr, nullptr, nullptr);
    // Copied before they are checked: the worker could change the shared area in between.
    memcpy(list_ids, worker->shared + batch->list_ids_offset, batch->row_count * sizeof(uint32_t));
    memcpy(distances, worker->shared + batch->distances_offset, batch->row_count * sizeof(float));
    for (uint64 i = 0; i < batch->row_count; ++i)
        if (list_ids[i] >= worker->list_count || !std::isfinite(distances[i]) || distances[i] < 0)
            report_nonsense(worker, "A row was assigned to a list that does not exist.");
}

char* worker_versions(Worker* worker) {
    WorkerRequest request;
    WorkerReply reply;
    char text[kWorkerTextBytes + 1];
    request.kind = WorkerKind::kVersions;
    worker_request(worker, &request);
    worker_wait(worker, &reply, text, nullptr, nullptr);
    return pstrdup(text);
}

}  // namespace lookalike

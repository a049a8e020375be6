#include "pg/worker/client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cmath>

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

/// Waits for the final reply. False when the deadline passed before.
bool wait_for_reply(Worker* worker, TimestampTz deadline, Received* received,
                    WorkerProgress progress, void* argument) {
    if (!worker->request_in_flight) elog(ERROR, "no request to the lookalike worker is in flight");
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        // Also when replies keep coming: progress without end is no answer.
        if (deadline != kNoDeadline && GetCurrentTimestamp() >= deadline) return false;
        if (!receive(worker, received)) {
            wait_for_socket(worker->socket, deadline);
            continue;
        }
        const WorkerReply& header = received->header;
        if (header.status != WorkerStatus::kProgress) break;
        if (header.step > header.step_count)
            report_nonsense(worker, "A progress reply counts more steps than there are.");
        if (progress) progress(header.step, header.step_count, argument);
    }
    worker->request_in_flight = false;
    if (received->header.status != WorkerStatus::kDone &&
        received->header.status != WorkerStatus::kError)
        report_nonsense(worker, "A reply has an unknown status.");
    return true;
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
    wait_for_reply(worker, kNoDeadline, &received, progress, argument);
    if (received.header.status == WorkerStatus::kError)
        raise_worker_failure(received.header.error, received.text,
                             "Raise \"maintenance_work_mem\".");
    *reply = received.header;
    if (text) strlcpy(text, received.text, kWorkerTextBytes + 1);
}

bool worker_await(Worker* worker, int timeout_ms, WorkerReply* reply, char* text) {
    Received received;
    const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
    if (!wait_for_reply(worker, deadline, &received, nullptr, nullptr)) {
        worker_stop(worker);
        return false;
    }
    *reply = received.header;
    strlcpy(text, received.text, kWorkerTextBytes + 1);
    return true;
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
        .flags = training->spherical ? WorkerTrainRequest::kSpherical : 0,
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

void worker_set_centroids(Worker* worker, uint64_t centroids_offset, uint32_t list_count,
                          uint32_t dims) {
    require_range(worker, centroids_offset, list_count, dims * uint64{sizeof(float)});
    WorkerRequest request;
    request.kind = WorkerKind::kSetCentroids;
    request.set_centroids = {
        .centroids_offset = centroids_offset, .list_count = list_count, .dims = dims};
    ask(worker, &request);
    worker->list_count = list_count;
    worker->dims = dims;
}

void worker_assign_begin(Worker* worker, const WorkerBatch* batch) {
    if (batch->dims == 0 || batch->dims != worker->dims)
        elog(ERROR, "rows to assign have other dimensions than the centroids");
    require_range(worker, batch->rows_offset, batch->row_count,
                  batch->dims * uint64{sizeof(float)});
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
        .padding = 0,
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

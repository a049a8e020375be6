#include "pg/worker/warm_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <initializer_list>

#include "core/protocol/warm.h"
#include "pg/image/settings.h"
#include "pg/worker/socket_wait.h"

extern "C" {
#include "storage/fd.h"
}

namespace lookalike {
namespace {

/// Forking takes milliseconds. A parent that is loading a network takes longer.
constexpr int kForkTimeoutMs = 2000;
/// A kill and what the kernel does after it. No longer, as a cancel waits for it: a parent that is
/// loading a network kills later.
constexpr int kEndTimeoutMs = 100;
/// How long the parent may take to tell how a worker died.
constexpr int kDeathTimeoutMs = 1000;
/// Warming up, checking and loading, on a busy machine.
constexpr int kPreloadTimeoutMs = 60000;

constexpr int kMaxPassedFds = 2;

/// -1 when nobody listens.
int connect_to_parent() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    static_assert(sizeof(kWarmSocketPath) <= sizeof(address.sun_path));
    memcpy(address.sun_path, kWarmSocketPath, sizeof(kWarmSocketPath));
    const int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection < 0) return -1;
    if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
        return connection;
    close(connection);
    return -1;
}

bool send_request(int connection, WarmRequest request, const int* fds, size_t fd_count) {
    iovec part = {&request, sizeof(request)};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassedFds * sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(item), fds, fd_count * sizeof(int));
    return sendmsg(connection, &message, MSG_NOSIGNAL) == sizeof(request);
}

enum class Receipt { kNothingYet, kReply, kClosed };

Receipt receive(int connection, WarmReply* reply) {
    const ssize_t length = recv(connection, reply, sizeof(*reply), MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return Receipt::kNothingYet;
    reply->text[sizeof(reply->text) - 1] = '\0';
    const bool sound =
        length == sizeof(*reply) && reply->magic == kWarmMagic && reply->version == kWarmVersion;
    return sound ? Receipt::kReply : Receipt::kClosed;
}

/// False when the parent has closed, or has not answered in time.
bool await_reply(int connection, int timeout_ms, WarmReply* reply) {
    const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        const Receipt receipt = receive(connection, reply);
        if (receipt != Receipt::kNothingYet) return receipt == Receipt::kReply;
        if (GetCurrentTimestamp() >= deadline) return false;
        wait_for_socket(connection, deadline);
    }
}

/// Closed with the memory context, so that an ERROR leaves nothing open.
struct Preload {
    int connection;
    int file;
    MemoryContextCallback at_end;
};

void close_preload(void* argument) {
    auto* preload = static_cast<Preload*>(argument);
    for (int* fd : {&preload->connection, &preload->file}) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
    }
}

Preload* open_preload() {
    auto* preload = static_cast<Preload*>(palloc(sizeof(Preload)));
    preload->connection = preload->file = -1;
    preload->at_end.func = close_preload;
    preload->at_end.arg = preload;
    MemoryContextRegisterResetCallback(CurrentMemoryContext, &preload->at_end);
    preload->connection = connect_to_parent();
    if (preload->connection < 0)
        ereport(
            ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("there is no warm parent of lookalike's workers"),
             errhint("Add \"lookalike\" to \"shared_preload_libraries\" and restart the server; "
                     "if it is there, try again in a moment.")));
    return preload;
}

bool write_all(int file, const void* bytes, uint64 byte_count) {
    for (uint64 done = 0; done < byte_count;) {
        const ssize_t step = write(file, static_cast<const char*>(bytes) + done, byte_count - done);
        if (step < 0 && errno != EINTR) return false;
        if (step > 0) done += static_cast<uint64>(step);
    }
    return true;
}

/// A copy that cannot change any more.
int sealed_file(Preload* preload, const WorkerModelConfig* config, const void* onnx,
                uint64 byte_count) {
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    preload->file = memfd_create("lookalike-model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (preload->file < 0 || !write_all(preload->file, config, sizeof(*config)) ||
        !write_all(preload->file, onnx, byte_count) ||
        fcntl(preload->file, F_ADD_SEALS, kSeals) != 0)
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                        errmsg("could not copy the network into shared memory: %m")));
    return preload->file;
}

}  // namespace

bool warm_fork(Worker* worker, uint64 ended_worker) {
    // The worker has been counted once already, with its socket.
    if (!AcquireExternalFD()) return false;
    worker->lease = connect_to_parent();
    if (worker->lease < 0) {
        ReleaseExternalFD();
        return false;
    }
    const WarmRequest request{.kind = WarmKind::kFork,
                              .budget_bytes = worker->limits.memory_budget_bytes,
                              .ended_worker = ended_worker,
                              .idle_ms = static_cast<uint32>(worker->limits.idle_ms)};
    const int fds[] = {worker->worker_socket, worker->shared_fd};
    WarmReply reply;
    if (send_request(worker->lease, request, fds, lengthof(fds)) &&
        await_reply(worker->lease, kForkTimeoutMs, &reply) && reply.status == WarmStatus::kForked &&
        reply.pid > 0) {
        worker->pid = reply.pid;
        worker->warm_id = reply.worker_id;
        return true;
    }
    // Should it be forked after all, the parent finds its lease closed.
    close(worker->lease);
    worker->lease = -1;
    ReleaseExternalFD();
    return false;
}

int warm_end(int lease, bool has_died) {
    int status = kUnknownWaitStatus;
    pollfd poll_lease = {.fd = lease, .events = POLLIN, .revents = 0};
    shutdown(lease, SHUT_WR);
    WarmReply reply;
    if (poll(&poll_lease, 1, has_died ? kDeathTimeoutMs : kEndTimeoutMs) > 0 &&
        receive(lease, &reply) == Receipt::kReply && reply.status == WarmStatus::kEnded)
        status = reply.wait_status;
    close(lease);
    ReleaseExternalFD();
    return status;
}

double warm_preload(const WorkerModelConfig* config, const void* onnx, uint64 byte_count) {
    Preload* preload = open_preload();
    const int file = sealed_file(preload, config, onnx, byte_count);
    const WarmRequest request{.kind = WarmKind::kPreload, .budget_bytes = worker_memory_bytes()};
    WarmReply reply;
    if (!send_request(preload->connection, request, &file, 1) ||
        !await_reply(preload->connection, kPreloadTimeoutMs, &reply))
        ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                        errmsg("the warm parent of lookalike's workers did not answer"),
                        errhint("Try again. The server log may tell why it ended.")));
    if (reply.status != WarmStatus::kPreloaded) {
        for (char* c = reply.text; *c; ++c)
            if (*c < ' ' || *c > '~') *c = '?';
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("could not preload the network"),
                        errdetail_internal("%s", reply.text)));
    }
    close_preload(preload);
    return reply.load_ms;
}

}  // namespace lookalike

#include "worker/warm_parent.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/protocol/warm.h"
#include "core/protocol/worker.h"
#include "image/image.h"
#include "worker/dispatch.h"
#include "worker/file_descriptor.h"
#include "worker/images.h"
#include "worker/limits.h"
#include "worker/sandbox.h"

namespace lookalike {
namespace {

/// Beyond the numbers that a child finds its descriptors at.
constexpr int kFirstFreeFd = 10;
constexpr int kMaxPassedFds = 2;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

size_t thread_count() {
    DIR* tasks = opendir("/proc/self/task");
    if (!tasks) fail("counting threads");
    size_t count = 0;
    while (const dirent* task = readdir(tasks))
        count += task->d_name[0] != '.';
    closedir(tasks);
    return count;
}

sigset_t child_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    return signals;
}

/// A connection, and the child that lives as long as it does.
struct Lease {
    FileDescriptor connection;
    pid_t child = 0;  ///< 0: nothing has been asked for yet
    uint64_t worker_id = 0;
    FileDescriptor model;  ///< of the network that the child checks; -1: the child is a worker
    bool is_closed = false;
};

struct Message {
    WarmRequest request;
    std::vector<FileDescriptor> descriptors;
};

/// Nothing when the other side has closed, or says what nobody should.
std::optional<Message> receive(int connection) {
    Message message;
    iovec part = {&message.request, sizeof(message.request)};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassedFds * sizeof(int))];
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    const ssize_t length = recvmsg(connection, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length <= 0) return std::nullopt;
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
        int numbers[kMaxPassedFds];
        const size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        std::memcpy(numbers, CMSG_DATA(item), count * sizeof(int));
        for (size_t i = 0; i < count; ++i)
            message.descriptors.emplace_back(numbers[i]);
    }
    const size_t wanted = message.request.kind == WarmKind::kFork ? 2 : 1;
    if (length != sizeof(message.request) || message.request.magic != kWarmMagic ||
        message.request.version != kWarmVersion || message.descriptors.size() != wanted)
        return std::nullopt;
    return message;
}

/// Whoever cannot be told has closed his end, which is seen where all ends are watched.
void tell(int connection, WarmReply reply) {
    iovec part = {&reply, sizeof(reply)};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    // The sandbox lets a child do this, not send().
    (void)!sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

WarmReply refusal(const std::string& text) {
    WarmReply reply{.status = WarmStatus::kRefused};
    text.copy(reply.text, sizeof(reply.text) - 1);
    return reply;
}

/// A network file of a backend, mapped; it can no longer change.
class ModelFile {
  public:
    explicit ModelFile(int fd) {
        constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_WRITE;
        const off_t size = lseek(fd, 0, SEEK_END);
        if ((fcntl(fd, F_GET_SEALS) & kSealed) != kSealed ||
            size <= static_cast<off_t>(sizeof(WorkerModelConfig)))
            throw ProtocolError("a network's file is not sealed or too short");
        byte_count_ = static_cast<size_t>(size);
        start_ = mmap(nullptr, byte_count_, PROT_READ, MAP_PRIVATE, fd, 0);
        if (start_ == MAP_FAILED) fail("mapping a network");
    }
    ~ModelFile() { munmap(start_, byte_count_); }
    ModelFile(const ModelFile&) = delete;
    ModelFile& operator=(const ModelFile&) = delete;

    WorkerModelConfig config() const {
        WorkerModelConfig config;
        std::memcpy(&config, start_, sizeof(config));
        return config;
    }
    uint64_t byte_count() const { return byte_count_; }
    std::span<const uint8_t> onnx() const {
        return {static_cast<const uint8_t*>(start_) + sizeof(WorkerModelConfig),
                byte_count_ - sizeof(WorkerModelConfig)};
    }

  private:
    void* start_;
    size_t byte_count_;
};

/// A child's first steps: it dies with its parent, takes signals again, and keeps only these.
void begin_child(pid_t parent, int socket, int other) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(126);
    const sigset_t signals = child_signal();
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    // Two steps, because either descriptor may lie where the other belongs.
    socket = fcntl(socket, F_DUPFD_CLOEXEC, kFirstFreeFd);
    other = fcntl(other, F_DUPFD_CLOEXEC, kFirstFreeFd);
    if (socket < 0 || other < 0 || dup2(socket, kWorkerSocketFd) < 0 ||
        dup2(other, kWorkerSharedFd) < 0 || close_range(kWorkerSharedFd + 1, ~0U, 0) != 0)
        fail("placing descriptors");
}

/// Loads a network where it can do no harm. The exit code is 0 when it could; a refusal is sent.
int check_model(uint64_t baseline_bytes, uint64_t budget_bytes) {
    const ModelFile file(kWorkerSharedFd);
    limit_memory(baseline_bytes + file.byte_count() + budget_bytes);
    close_descriptors();
    enter_sandbox();
    const WorkerModelConfig config = file.config();
    ModelStore store(make_engine(), budget_bytes);
    try {
        const std::string name(config.key, strnlen(config.key, sizeof(config.key)));
        load_model(store, name, config, file.onnx());
        return 0;
    } catch (const std::bad_alloc&) {
        tell(kWorkerSocketFd, refusal("the worker's memory does not suffice"));
    } catch (const std::exception& e) {
        tell(kWorkerSocketFd, refusal(e.what()));
    }
    return 1;
}

class WarmParent {
  public:
    explicit WarmParent(uint64_t model_bytes) : preloaded_(make_engine(), model_bytes) {
        const sigset_t signals = child_signal();
        sigprocmask(SIG_BLOCK, &signals, nullptr);
        signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
        if (signals_.get() < 0) fail("watching children");
    }

    void serve_once();

  private:
    void reap();
    void accept_connection();
    void take_request(Lease& lease);
    void fork_worker(Lease& lease, const Message& message);
    void fork_check(Lease& lease, Message& message);
    void end_worker(uint64_t worker_id);
    void child_ended(Lease& lease, int wait_status);

    FileDescriptor signals_;
    AddressSpace address_space_;
    ModelStore preloaded_;
    std::list<Lease> leases_;
    /// Starts with the time, so that no other parent gives the same: backends remember them.
    uint64_t last_worker_id_ = static_cast<uint64_t>(
        std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
    const pid_t self_ = getpid();
};

void WarmParent::serve_once() {
    std::vector<pollfd> watched = {{kWorkerSocketFd, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    std::vector<Lease*> owners = {nullptr, nullptr};
    for (Lease& lease : leases_) {
        // One that is closed stays readable until its child has been reaped.
        if (lease.is_closed) continue;
        watched.push_back({lease.connection.get(), POLLIN | POLLRDHUP, 0});
        owners.push_back(&lease);
    }
    if (poll(watched.data(), watched.size(), -1) < 0) {
        if (errno == EINTR) return;
        fail("waiting for requests");
    }
    if (watched[1].revents) reap();
    for (size_t i = 2; i < watched.size(); ++i) {
        Lease& lease = *owners[i];
        if (!watched[i].revents || lease.is_closed) continue;
        if (lease.child == 0) {
            take_request(lease);
        } else {
            // Nothing is said after the request, so this is the end. Reaping tells the rest.
            kill(lease.child, SIGKILL);
            lease.is_closed = true;
        }
    }
    if (watched[0].revents) accept_connection();
    std::erase_if(leases_, [](const Lease& lease) { return lease.is_closed && lease.child == 0; });
}

void WarmParent::reap() {
    signalfd_siginfo ignored[16];
    while (read(signals_.get(), ignored, sizeof(ignored)) > 0) {
    }
    int status;
    while (const pid_t pid = waitpid(-1, &status, WNOHANG)) {
        if (pid < 0) break;
        const auto lease = std::ranges::find(leases_, pid, &Lease::child);
        if (lease != leases_.end()) child_ended(*lease, status);
    }
}

void WarmParent::child_ended(Lease& lease, int wait_status) {
    lease.child = 0;
    lease.is_closed = true;
    if (lease.model.get() < 0) {
        tell(lease.connection.get(), {.status = WarmStatus::kEnded,
                                      .worker_id = lease.worker_id,
                                      .wait_status = wait_status});
        return;
    }
    if (WIFSIGNALED(wait_status))
        tell(lease.connection.get(),
             refusal("loading it was ended by signal " + std::to_string(WTERMSIG(wait_status))));
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) return;
    try {
        const ModelFile file(lease.model.get());
        const WorkerModelConfig config = file.config();
        const std::string key = preloaded_key(config);
        const LoadedModel& loaded = load_model(preloaded_, key, config, file.onnx());
        tell(lease.connection.get(),
             {.status = WarmStatus::kPreloaded, .load_ms = loaded.load_seconds * 1000});
    } catch (const std::exception& e) {
        tell(lease.connection.get(), refusal(e.what()));
    }
}

void WarmParent::accept_connection() {
    FileDescriptor connection(accept4(kWorkerSocketFd, nullptr, nullptr, SOCK_CLOEXEC));
    ucred peer = {};
    socklen_t length = sizeof(peer);
    if (connection.get() < 0 ||
        getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        peer.uid != geteuid())
        return;
    leases_.push_back({.connection = std::move(connection), .model = FileDescriptor()});
}

void WarmParent::take_request(Lease& lease) {
    std::optional<Message> message = receive(lease.connection.get());
    if (message && message->request.kind == WarmKind::kFork)
        fork_worker(lease, *message);
    else if (message && message->request.kind == WarmKind::kPreload)
        fork_check(lease, *message);
    if (lease.child == 0) lease.is_closed = true;
}

void WarmParent::fork_worker(Lease& lease, const Message& message) {
    const WarmRequest& request = message.request;
    if (request.ended_worker != 0) end_worker(request.ended_worker);
    const uint64_t baseline_bytes = address_space_.taken_bytes();
    lease.child = fork();
    if (lease.child == 0) {
        int code = 0;
        try {
            begin_child(self_, message.descriptors[0].get(), message.descriptors[1].get());
            serve_backend(baseline_bytes, request.budget_bytes, static_cast<int>(request.idle_ms),
                          &preloaded_);
        } catch (const std::exception& e) {
            std::fprintf(stderr, "lookalike-worker: %s\n", e.what());
            code = 1;
        }
        // The libraries' destructors may wait for what only the parent has.
        _exit(code);
    }
    lease.child = std::max(lease.child, 0);
    lease.worker_id = ++last_worker_id_;
    if (lease.child == 0) return;
    tell(lease.connection.get(),
         {.status = WarmStatus::kForked, .worker_id = lease.worker_id, .pid = lease.child});
}

void WarmParent::fork_check(Lease& lease, Message& message) {
    lease.model = std::move(message.descriptors[0]);
    const uint64_t baseline_bytes = address_space_.taken_bytes();
    lease.child = fork();
    if (lease.child == 0) {
        int code = 1;
        try {
            begin_child(self_, lease.connection.get(), lease.model.get());
            code = check_model(baseline_bytes, message.request.budget_bytes);
        } catch (const std::exception& e) {
            std::fprintf(stderr, "lookalike-worker: %s\n", e.what());
        }
        _exit(code);
    }
    lease.child = std::max(lease.child, 0);
}

void WarmParent::end_worker(uint64_t worker_id) {
    const auto lease = std::ranges::find(leases_, worker_id, &Lease::worker_id);
    if (lease == leases_.end() || lease->child == 0) return;
    kill(lease->child, SIGKILL);
    int status = 0;
    while (waitpid(lease->child, &status, 0) < 0 && errno == EINTR) {
    }
    child_ended(*lease, status);
}

}  // namespace

void run_warm_parent(uint64_t model_bytes) {
    // From here on the sandbox sees to it.
    if (thread_count() != 1)
        throw std::runtime_error("a warm parent must not have a second thread");
    // A lease each; children set their own limit.
    rlimit descriptors;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    WarmParent parent(model_bytes);
    enter_parent_sandbox();
    for (;;)
        parent.serve_once();
}

}  // namespace lookalike

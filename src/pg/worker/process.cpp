#include "pg/worker/process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/protocol/warm.h"
#include "core/protocol/worker.h"
#include "pg/worker/turns.h"
#include "pg/worker/warm_client.h"

extern "C" {
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
}

namespace lookalike {
namespace {

/// Beyond the numbers that the worker finds its descriptors at.
constexpr int kFirstFreeFd = 10;
/// Of -1000 .. 1000: when memory runs out, the worker is to die rather than a backend.
constexpr char kOomScoreAdjustment[] = "500";
/// The shared area is allocated in pieces, so that a cancel is seen between them.
constexpr uint64 kAllocationStep = UINT64CONST(64) << 20;

/// All workers of this backend that have a process.
Worker* live_workers = nullptr;

void close_fd(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void stop_with_memory_context(void* worker) {
    worker_stop(static_cast<Worker*>(worker));
}

// In an aborted transaction block the memory of the failed statement lives until ROLLBACK; the
// resource owner goes at once.
void stop_with_resource_owner(ResourceReleasePhase phase, bool is_commit, bool, void*) {
    if (phase != RESOURCE_RELEASE_BEFORE_LOCKS) return;
    for (Worker *worker = live_workers, *next; worker; worker = next) {
        next = worker->next;
        // A request that nobody waits for any more would go on computing.
        const bool abandoned = !worker->owner && worker->request_in_flight && !is_commit;
        if (worker->owner == CurrentResourceOwner || abandoned) worker_stop(worker);
    }
}

/// The worker's executable lies beside this library, wherever that was installed.
void find_executable(char* path) {
    Dl_info library;
    if (dladdr(reinterpret_cast<void*>(&worker_start), &library) == 0 || !library.dli_fname)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                        errmsg("could not find the path of the lookalike library")));
    strlcpy(path, library.dli_fname, MAXPGPATH);
    get_parent_directory(path);
    join_path_components(path, path, "lookalike-worker");
    if (access(path, X_OK) != 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not execute \"%s\": %m", path),
                        errhint("Install the extension's worker program beside its library.")));
}

void create_shared_area(Worker* worker) {
    worker->shared_fd = memfd_create("lookalike", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (worker->shared_fd < 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not create shared memory: %m")));
    // Allocated at once: a page that is missing later would be SIGBUS in the backend.
    for (uint64 done = 0; done < worker->limits.shared_bytes;) {
        const uint64 step = Min(kAllocationStep, worker->limits.shared_bytes - done);
        const int error =
            posix_fallocate(worker->shared_fd, static_cast<off_t>(done), static_cast<off_t>(step));
        if (error == 0) {
            done += step;
        } else if (error != EINTR) {
            errno = error;
            ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                            errmsg("could not allocate %llu bytes of shared memory: %m",
                                   static_cast<unsigned long long>(worker->limits.shared_bytes))));
        }
        CHECK_FOR_INTERRUPTS();
    }
    if (fcntl(worker->shared_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not seal shared memory: %m")));
    void* address = mmap(nullptr, worker->limits.shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         worker->shared_fd, 0);
    if (address == MAP_FAILED)
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not map shared memory: %m")));
    worker->shared = static_cast<char*>(address);
}

/// What the child needs, prepared before the fork: the child may not allocate.
struct Launch {
    char path[MAXPGPATH];
    char first_argument[32];
    char second_argument[32];
    char omp_threads[32];
    char blas_threads[48];
    int socket;
    int shared_fd;  ///< -1: none
    pid_t parent;
};

void reset_signals() {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        sigaction(number, &action, nullptr);
    // A cancel or statement_timeout signals the whole process group. The backend decides what
    // becomes of the worker. The worker stays in that group all the same: the SIGQUIT and SIGKILL
    // of an immediate shutdown are meant for it too.
    action.sa_handler = SIG_IGN;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

void raise_oom_score() {
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    // Without it the worker only loses its place at the head of the queue.
    if (write(fd, kOomScoreAdjustment, sizeof(kOomScoreAdjustment) - 1) < 0) errno = 0;
    close(fd);
}

bool place_descriptors(const Launch* launch) {
    // Two steps, because either descriptor may lie where the other belongs.
    const bool has_area = launch->shared_fd >= 0;
    const int socket = fcntl(launch->socket, F_DUPFD_CLOEXEC, kFirstFreeFd);
    const int area = has_area ? fcntl(launch->shared_fd, F_DUPFD_CLOEXEC, kFirstFreeFd) : 0;
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (socket < 0 || area < 0 || null_fd < 0) return false;
    // The log stays open as descriptor 2: the libraries' last words go there.
    const unsigned first_unused = kWorkerSharedFd + (has_area ? 1 : 0);
    return dup2(null_fd, 0) >= 0 && dup2(null_fd, 1) >= 0 && dup2(socket, kWorkerSocketFd) >= 0 &&
           (!has_area || dup2(area, kWorkerSharedFd) >= 0) &&
           close_range(first_unused, ~0U, 0) == 0;
}

/// The child between fork and exec: async-signal-safe calls only, and no way back into PostgreSQL.
[[noreturn]] void run_child(Launch* launch) {
    const rlimit no_core = {0, 0};
    // The signal comes only from now on: the parent may have ended before.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != launch->parent ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &no_core) != 0 ||
        !place_descriptors(launch))
        _exit(126);
    raise_oom_score();
    reset_signals();
    char* const arguments[] = {launch->path, launch->first_argument, launch->second_argument,
                               nullptr};
    char* const environment[] = {launch->omp_threads, launch->blas_threads,
                                 // Threads that spin while they wait take the cores from each
                                 // other's library and from the backend.
                                 const_cast<char*>("OMP_WAIT_POLICY=passive"),
                                 const_cast<char*>("OPENBLAS_THREAD_TIMEOUT=14"),
                                 // Every arena takes 64 MB of the address space that is limited.
                                 const_cast<char*>("MALLOC_ARENA_MAX=1"),
                                 const_cast<char*>("LC_ALL=C"), nullptr};
    execve(launch->path, arguments, environment);
    _exit(127);
}

/// Fork without PostgreSQL's own signal handlers running in the child.
pid_t fork_child(Launch* launch) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0) run_child(launch);
    const int fork_errno = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    errno = fork_errno;
    return pid;
}

/// REQUIRES: the arguments are filled in.
pid_t launch_program(Launch* launch, int thread_count) {
    find_executable(launch->path);
    snprintf(launch->omp_threads, sizeof(launch->omp_threads), "OMP_NUM_THREADS=%d", thread_count);
    snprintf(launch->blas_threads, sizeof(launch->blas_threads), "OPENBLAS_NUM_THREADS=%d",
             thread_count);
    launch->parent = MyProcPid;
    const pid_t pid = fork_child(launch);
    if (pid < 0)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                        errmsg("could not start a worker process: %m")));
    return pid;
}

void open_sockets(Worker* worker) {
    int ends[2];
    close_fd(&worker->socket);
    close_fd(&worker->worker_socket);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create a socket: %m")));
    worker->socket = ends[0];
    worker->worker_socket = ends[1];
}

void launch_worker(Worker* worker) {
    Launch launch;
    snprintf(launch.first_argument, sizeof(launch.first_argument), UINT64_FORMAT,
             worker->limits.memory_budget_bytes);
    snprintf(launch.second_argument, sizeof(launch.second_argument), "%d", worker->limits.idle_ms);
    open_sockets(worker);
    launch.socket = worker->worker_socket;
    launch.shared_fd = worker->shared_fd;
    worker->pid = launch_program(&launch, worker->limits.thread_count);
}

void start_process(Worker* worker, uint64 ended_worker) {
    if (!AcquireExternalFD())
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                        errmsg("could not start a worker: too many open files"),
                        errhint("Raise \"max_files_per_process\" or the server's limit on open "
                                "files.")));
    worker->external_fd = true;
    open_sockets(worker);
    if (!worker->limits.is_image_worker || !warm_fork(worker, ended_worker)) launch_worker(worker);
    if (worker->has_turn) set_turn_worker(worker->pid, worker->warm_id);
    close_fd(&worker->worker_socket);  // else the worker's end would never be seen as closed
    close_fd(&worker->shared_fd);
}

/// Returns the warm worker to be ended before this one is started.
uint64 wait_for_turn(Worker* worker) {
    const TimestampTz start = GetCurrentTimestamp();
    worker->has_turn = true;
    const uint64 ended_worker = take_turn();
    worker->turn_wait_ms = static_cast<double>(GetCurrentTimestamp() - start) / 1000.0;
    return ended_worker;
}

/// True when the worker has closed its end, which it does not before it ends.
bool has_died(const Worker* worker) {
    pollfd poll_socket = {.fd = worker->socket, .events = 0, .revents = 0};
    return poll(&poll_socket, 1, 0) > 0 && (poll_socket.revents & POLLHUP) != 0;
}

/// Kills the process and waits for its end; a child of ours stays to be reaped, so that its number
/// remains its own. A process that is ending already keeps its own status.
int end_process(Worker* worker) {
    if (worker->lease >= 0) return warm_end(worker->lease, has_died(worker));
    siginfo_t ignored;
    if (worker->pid > 0) kill(worker->pid, SIGKILL);
    while (worker->pid > 0 && waitid(P_PID, worker->pid, &ignored, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
    return 0;
}

/// The kernel would end them as well, but nobody would give their turns back.
void stop_at_exit(int, Datum) {
    while (live_workers)
        worker_stop(live_workers);
}

}  // namespace

Worker* worker_start(const WorkerLimits* limits) {
    static bool release_registered = false;
    if (!release_registered) {
        RegisterResourceReleaseCallback(stop_with_resource_owner, nullptr);
        before_shmem_exit(stop_at_exit, 0);
        release_registered = true;
    }
    Worker* worker = static_cast<Worker*>(palloc0(sizeof(Worker)));
    auto* callback = static_cast<MemoryContextCallback*>(palloc(sizeof(MemoryContextCallback)));
    worker->limits = *limits;
    worker->socket = worker->worker_socket = worker->shared_fd = worker->lease = -1;
    worker->owner = CurrentResourceOwner;
    callback->func = stop_with_memory_context;
    callback->arg = worker;
    // Before there is anything to give back.
    MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
    worker->next = live_workers;
    live_workers = worker;

    const uint64 ended_worker = limits->is_image_worker ? wait_for_turn(worker) : 0;
    create_shared_area(worker);
    start_process(worker, ended_worker);
    return worker;
}

void worker_keep(Worker* worker) {
    worker->owner = nullptr;
}

void* worker_shared(Worker* worker) {
    return worker->shared;
}

bool worker_suffices(const Worker* worker, const WorkerLimits* limits) {
    return worker->pid != 0 && worker->limits.shared_bytes >= limits->shared_bytes &&
           worker->limits.memory_budget_bytes >= limits->memory_budget_bytes &&
           worker->limits.thread_count == limits->thread_count;
}

int worker_stop(Worker* worker) {
    for (Worker** link = &live_workers; *link; link = &(*link)->next) {
        if (*link != worker) continue;
        *link = worker->next;
        break;
    }
    int status = end_process(worker);
    if (worker->has_turn) end_turn();
    worker->has_turn = false;
    while (worker->pid > 0 && worker->lease < 0 && waitpid(worker->pid, &status, 0) < 0 &&
           errno == EINTR) {
    }
    worker->lease = -1;
    worker->pid = 0;
    close_fd(&worker->socket);
    close_fd(&worker->worker_socket);
    close_fd(&worker->shared_fd);
    if (worker->shared) munmap(worker->shared, worker->limits.shared_bytes);
    worker->shared = nullptr;
    if (worker->external_fd) ReleaseExternalFD();
    worker->external_fd = false;
    worker->request_in_flight = false;
    return status;
}

pid_t start_warm_parent(int listener, uint64 model_bytes) {
    Launch launch;
    strlcpy(launch.first_argument, kWarmRole, sizeof(launch.first_argument));
    snprintf(launch.second_argument, sizeof(launch.second_argument), UINT64_FORMAT, model_bytes);
    launch.socket = listener;
    launch.shared_fd = -1;
    return launch_program(&launch, 1);
}

}  // namespace lookalike

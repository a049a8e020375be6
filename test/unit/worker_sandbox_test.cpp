// What a process can still do in the sandbox. Each attempt runs in a child, which has no way back.
#include "worker/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <functional>

#include "core/protocol/worker.h"
#include "image/image.h"
#include "image_samples.h"

namespace lookalike {
namespace {

constexpr int kNoSandbox = 100, kThrown = 101;

/// Exit code of a child that enters a sandbox and runs `attempt`; -signal when one ended it.
int run_inside(const std::function<int()>& attempt, void (*enter)() = enter_sandbox) {
    const pid_t pid = fork();
    if (pid == 0) {
        try {
            enter();
        } catch (const std::exception&) {
            _exit(kNoSandbox);
        }
        try {
            _exit(attempt());
        } catch (const std::exception&) {
            _exit(kThrown);
        }
    }
    if (pid < 0) return errno;
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// errno of a system call that failed, 0 of one that did not.
int errno_of(long result) {
    return result < 0 ? errno : 0;
}

TEST(WorkerSandbox, OpensNoFile) {
    EXPECT_EQ(run_inside([] { return errno_of(open("/etc/passwd", O_RDONLY)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(open("/tmp/lookalike-sandbox", O_CREAT, 0600)); }),
              EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(syscall(SYS_openat2, AT_FDCWD, "/", 0, 0)); }),
              EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(memfd_create("x", 0)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(unlink("/tmp/lookalike-sandbox")); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(access("/etc/passwd", F_OK)); }), EPERM);
}

TEST(WorkerSandbox, OpensNoSocket) {
    EXPECT_EQ(run_inside([] { return errno_of(socket(AF_INET, SOCK_STREAM, 0)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(socket(AF_UNIX, SOCK_STREAM, 0)); }), EPERM);
    EXPECT_EQ(run_inside([] {
                  int ends[2];
                  return errno_of(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
              }),
              EPERM);
}

TEST(WorkerSandbox, StartsAndTouchesNoProcess) {
    EXPECT_EQ(run_inside([] {
                  const char* arguments[] = {"/bin/true", nullptr};
                  return errno_of(execve("/bin/true", const_cast<char**>(arguments), nullptr));
              }),
              EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(kill(getppid(), 0)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(syscall(SYS_tgkill, 1, 1, 0)); }), EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }),
              EPERM);
    EXPECT_EQ(run_inside([] { return errno_of(setuid(0)); }), EPERM);
}

TEST(WorkerSandbox, HasNoExecutableMemory) {
    const auto map = [](int protection) {
        void* address = mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return address == MAP_FAILED ? errno : 0;
    };
    EXPECT_EQ(run_inside([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
    EXPECT_EQ(run_inside([&] { return map(PROT_READ | PROT_WRITE); }), 0);
    EXPECT_EQ(run_inside([] {
                  void* address =
                      mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return errno_of(mprotect(address, 4096, PROT_READ | PROT_EXEC));
              }),
              EPERM);
}

// Not std::thread: the sanitizers look through pipes into objects with virtual functions.
TEST(WorkerSandbox, CanComputeWithThreads) {
    EXPECT_EQ(run_inside([] {
                  int count = 0;
                  for (int i = 0; i < 3; ++i) {
                      pthread_t thread;
                      const auto count_up = [](void* counter) -> void* {
                          void* memory = malloc(1 << 20);
                          *static_cast<int*>(counter) += memory != nullptr;
                          free(memory);
                          return nullptr;
                      };
                      if (pthread_create(&thread, nullptr, count_up, &count) != 0) return -1;
                      pthread_join(thread, nullptr);
                  }
                  return count;
              }),
              3);
}

TEST(WorkerSandbox, CatchesExceptionsAndAborts) {
    EXPECT_EQ(run_inside([] { return throw std::exception(), 0; }), kThrown);
    EXPECT_EQ(run_inside([]() -> int { std::abort(); }), -SIGABRT);
}

int run_inside_parents(const std::function<int()>& attempt) {
    return run_inside(attempt, enter_parent_sandbox);
}

TEST(ParentSandbox, OpensNeitherFileNorSocketNorProgram) {
    EXPECT_EQ(run_inside_parents([] { return errno_of(open("/etc/passwd", O_RDONLY)); }), EPERM);
    EXPECT_EQ(run_inside_parents([] { return errno_of(access("/etc/passwd", F_OK)); }), EPERM);
    EXPECT_EQ(run_inside_parents([] { return errno_of(unlink("/tmp/lookalike-sandbox")); }), EPERM);
    for (const int domain : {AF_INET, AF_UNIX})
        EXPECT_EQ(run_inside_parents([&] { return errno_of(socket(domain, SOCK_STREAM, 0)); }),
                  EPERM);
    EXPECT_EQ(run_inside_parents([] { return errno_of(connect(3, nullptr, 0)); }), EPERM);
    EXPECT_EQ(run_inside_parents(
                  [] { return errno_of(accept4(kWorkerSocketFd + 1, nullptr, nullptr, 0)); }),
              EPERM);
    EXPECT_EQ(run_inside_parents([] {
                  const char* arguments[] = {"/bin/true", nullptr};
                  return errno_of(execve("/bin/true", const_cast<char**>(arguments), nullptr));
              }),
              EPERM);
    EXPECT_EQ(run_inside_parents([] {
                  void* address = mmap(nullptr, 4096, PROT_READ | PROT_EXEC,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return address == MAP_FAILED ? errno : 0;
              }),
              EPERM);
}

TEST(ParentSandbox, SignalsByKillAlone) {
    EXPECT_EQ(run_inside_parents([] { return errno_of(kill(getppid(), SIGTERM)); }), EPERM);
    EXPECT_EQ(run_inside_parents([] { return errno_of(kill(getppid(), 0)); }), EPERM);
    EXPECT_EQ(run_inside_parents([] { return errno_of(ptrace(PTRACE_TRACEME, 0, 0, 0)); }), EPERM);
    EXPECT_EQ(run_inside_parents([]() -> int { return kill(getpid(), SIGKILL); }), -SIGKILL);
}

TEST(ParentSandbox, StartsNoThread) {
    EXPECT_EQ(run_inside_parents([] {
                  pthread_t thread;
                  return pthread_create(
                      &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
              }),
              EPERM);
}

// What the parent may do and a worker may not is closed to a worker that it forks.
TEST(ParentSandbox, HoldsTheWorkersSandbox) {
    const auto run_in_worker = [](const std::function<int()>& attempt) {
        return run_inside_parents([&] { return run_inside(attempt); });
    };
    EXPECT_EQ(run_in_worker([] { return 7; }), 7);
    EXPECT_EQ(run_in_worker([] { return errno_of(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }),
              EPERM);
    EXPECT_EQ(run_in_worker([] { return errno_of(kill(getppid(), SIGKILL)); }), EPERM);
    EXPECT_EQ(
        run_in_worker([] { return errno_of(syscall(SYS_tgkill, getppid(), getppid(), SIGABRT)); }),
        EPERM);
    EXPECT_EQ(run_in_worker([] { return errno_of(accept4(kWorkerSocketFd, nullptr, nullptr, 0)); }),
              EPERM);
    EXPECT_EQ(run_in_worker([] { return errno_of(dup2(0, 9)); }), EPERM);
    EXPECT_EQ(run_inside_parents([] { return -run_inside([]() -> int { std::abort(); }); }),
              SIGABRT);
}

// Their decoders would start threads if they were let.
TEST(ParentSandbox, LetsWorkersDecodeTelephonesPictures) {
    for (const char* name : {"heic", "heic_10bit", "avif", "avif_12bit", "avif_grid", "gif"}) {
        const FileBytes file = corpus_file(name);
        const ImageLimits limits{.max_pixels = 1'000'000};
        EXPECT_EQ(run_inside_parents([&] {
                      return run_inside([&] { return make_thumbnail(file, 8, limits).empty(); });
                  }),
                  0)
            << name;
    }
}

int pipe_ends[2];
constexpr int kEarlierThread = 50;

// Threads that were there before are locked in too.
TEST(WorkerSandbox, HoldsThreadsThatRanBefore) {
    const pid_t pid = fork();
    if (pid == 0) {
        const auto wait_and_open = [](void*) -> void* {
            char byte;
            if (read(pipe_ends[0], &byte, 1) != 1) _exit(kThrown);
            _exit(kEarlierThread + errno_of(open("/etc/passwd", O_RDONLY)));
        };
        pthread_t earlier;
        if (pipe(pipe_ends) != 0 || pthread_create(&earlier, nullptr, wait_and_open, nullptr) != 0)
            _exit(kThrown);
        enter_sandbox();
        if (write(pipe_ends[1], "x", 1) != 1) _exit(kThrown);
        pthread_join(earlier, nullptr);
        _exit(kThrown);
    }
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), kEarlierThread + EPERM);
}

}  // namespace
}  // namespace lookalike

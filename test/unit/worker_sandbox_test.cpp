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

#include "core/worker_protocol.h"

namespace lookalike {
namespace {

constexpr int kNoSandbox = 100, kThrown = 101;

/// Exit code of a child that enters the sandbox and runs `attempt`; -signal when one ended it.
int run_inside(const std::function<int()>& attempt) {
    const pid_t pid = fork();
    if (pid == 0) {
        try {
            enter_sandbox();
        } catch (const std::exception&) {
            _exit(kNoSandbox);
        }
        try {
            _exit(attempt());
        } catch (const std::exception&) {
            _exit(kThrown);
        }
    }
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

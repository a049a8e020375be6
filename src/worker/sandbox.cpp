#include "worker/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <memory>
#include <system_error>

#include "core/protocol/worker.h"

namespace lookalike {
namespace {

[[noreturn]] void fail(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

class Filter {
  public:
    Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release) {
        if (!context_) fail(ENOMEM, "making the sandbox");
        // All threads, those of OpenMP and BLAS too.
        check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    }

    void allow(std::initializer_list<int> calls) {
        for (const int call : calls)
            check(seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, 0));
    }

    void allow_if(int call, std::initializer_list<scmp_arg_cmp> conditions) {
        check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, call,
                                     static_cast<unsigned>(conditions.size()), conditions.begin()));
    }

    void refuse_with(int error, int call) {
        check(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<uint32_t>(error)), call,
                               0));
    }

    void load() { check(seccomp_load(context_.get())); }

  private:
    static void check(int result) {
        if (result < 0) fail(-result, "making the sandbox");
    }

    std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

void limit(decltype(RLIMIT_FSIZE) resource, rlim_t value) {
    const rlimit limits = {value, value};
    if (setrlimit(resource, &limits) != 0) fail(errno, "setting a limit");
}

/// What every process of ours does: memory, time, its own signals, the descriptors that it has.
void allow_computing(Filter& filter) {
    filter.allow({SCMP_SYS(poll), SCMP_SYS(ppoll)});
    filter.allow({SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
                  SCMP_SYS(fstat), SCMP_SYS(lseek)});
    // Memory, but none that could be executed.
    filter.allow({SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise)});
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
        filter.allow_if(call, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
    // The flags of clone3 lie in memory, where a filter cannot see them; without it the C library
    // uses clone.
    filter.refuse_with(ENOSYS, SCMP_SYS(clone3));
    filter.allow({SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
                  SCMP_SYS(sched_getaffinity), SCMP_SYS(getpid), SCMP_SYS(gettid),
                  SCMP_SYS(getcpu)});
    filter.allow_if(SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)});
    filter.allow({SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
                  SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(times),
                  SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom)});
    filter.allow({SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
                  SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall)});
    filter.allow({SCMP_SYS(exit), SCMP_SYS(exit_group)});
}

}  // namespace

void close_descriptors() {
    // The log too: a picture must not be able to fill the server's disk with a library's warnings.
    for (const int fd : {1, 2})
        if (dup2(0, fd) < 0) fail(errno, "closing the log");
    if (close_range(kWorkerSocketFd + 1, ~0U, 0) != 0) fail(errno, "closing descriptors");
}

void enter_sandbox() {
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, kWorkerSocketFd + 1);

    Filter filter;
    // The descriptors that are left are /dev/null and the socket.
    allow_computing(filter);
    for (const int call : {SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg)})
        filter.allow_if(call, {SCMP_A0(SCMP_CMP_EQ, kWorkerSocketFd)});
    // Threads, not processes.
    filter.allow_if(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)});
    // Reading limits, not setting them.
    filter.allow_if(SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)});
    // abort() and a library's own signal handling; a signal can reach this process only.
    filter.allow_if(SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()))});
    filter.load();
}

void enter_parent_sandbox() {
    Filter filter;
    allow_computing(filter);
    filter.allow_if(SCMP_SYS(accept4), {SCMP_A0(SCMP_CMP_EQ, kWorkerSocketFd)});
    filter.allow({SCMP_SYS(getsockopt), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
                  SCMP_SYS(geteuid), SCMP_SYS(pread64), SCMP_SYS(wait4)});
    filter.allow_if(SCMP_SYS(fcntl), {SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS)});
    // Processes, not threads: a child of a process that has some could hang.
    filter.allow_if(SCMP_SYS(clone),
                    {SCMP_A0(SCMP_CMP_MASKED_EQ,
                             ~scmp_datum_t{CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID}, SIGCHLD)});
    // A filter cannot tell children from other processes, nor a child's abort() from its parent's.
    filter.allow_if(SCMP_SYS(kill), {SCMP_A1(SCMP_CMP_EQ, SIGKILL)});
    filter.allow_if(SCMP_SYS(tgkill), {SCMP_A2(SCMP_CMP_EQ, SIGABRT)});

    // What a child does before it enters its own sandbox: it dies with its parent, keeps its
    // descriptors alone, limits itself.
    filter.allow({SCMP_SYS(getppid), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range),
                  SCMP_SYS(seccomp)});
    filter.allow_if(SCMP_SYS(fcntl), {SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC)});
    for (const int option : {PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS})
        filter.allow_if(SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option))});
    filter.allow_if(SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_EQ, 0)});
    filter.load();
}

}  // namespace lookalike

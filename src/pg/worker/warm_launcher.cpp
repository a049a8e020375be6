#include "pg/worker/warm_launcher.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pg/image/models.h"
#include "pg/image/settings.h"
#include "pg/worker/turns.h"
#include "pg/worker/warm_client.h"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

namespace lookalike {
namespace {

/// A parent that ends sooner is not started again at once.
constexpr long kShortLifeMs = 10000;
constexpr long kPauseMs = 5000;
constexpr int kRestartSeconds = 5;

/// The launcher's child; 0: none.
pid_t warm_parent = 0;

void fill_in(BackgroundWorker* worker, const char* name, const char* function) {
    memset(worker, 0, sizeof(*worker));
    strlcpy(worker->bgw_name, name, sizeof(worker->bgw_name));
    strlcpy(worker->bgw_type, name, sizeof(worker->bgw_type));
    strlcpy(worker->bgw_library_name, "lookalike", sizeof(worker->bgw_library_name));
    strlcpy(worker->bgw_function_name, function, sizeof(worker->bgw_function_name));
    worker->bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker->bgw_start_time = BgWorkerStart_ConsistentState;
}

/// Nobody else's file: the data directory has one server, and the server one launcher.
int listen_for_backends() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, kWarmSocketPath, sizeof(kWarmSocketPath));
    unlink(kWarmSocketPath);
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const mode_t mask = umask(S_IRWXG | S_IRWXO);
    const bool bound = listener >= 0 &&
                       bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    umask(mask);
    if (!bound || listen(listener, SOMAXCONN) != 0)
        ereport(ERROR, (errcode_for_socket_access(),
                        errmsg("could not listen at \"%s\": %m", kWarmSocketPath)));
    return listener;
}

void start_parent() {
    // What an ERROR leaves open goes with this process, which it ends.
    const int listener = listen_for_backends();
    warm_parent = start_warm_parent(listener, worker_memory_bytes() / 2);
    close(listener);
}

/// The wait status of the parent when it has ended.
bool parent_has_ended(int* status) {
    if (waitpid(warm_parent, status, WNOHANG) != warm_parent) return false;
    warm_parent = 0;
    return true;
}

void stop_parent(int, Datum) {
    if (warm_parent == 0) return;
    kill(warm_parent, SIGKILL);
    waitpid(warm_parent, nullptr, 0);
    warm_parent = 0;
    unlink(kWarmSocketPath);
}

/// Has the networks of lookalike.preload_models loaded, by a process that can read them.
void start_preloader() {
    if (*preload_models() == '\0') return;
    if (*preload_database() == '\0') {
        ereport(LOG, (errmsg("\"lookalike.preload_models\" is ignored: "
                             "\"lookalike.preload_database\" is not set")));
        return;
    }
    BackgroundWorker worker;
    fill_in(&worker, "lookalike preloader", "lookalike_preloader_main");
    worker.bgw_flags |= BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    if (!RegisterDynamicBackgroundWorker(&worker, nullptr))
        ereport(LOG, (errmsg("could not start a background worker to preload networks"),
                      errhint("You might need to increase \"max_worker_processes\".")));
}

void read_settings() {
    char* models = pstrdup(preload_models());
    char* database = pstrdup(preload_database());
    ConfigReloadPending = false;
    ProcessConfigFile(PGC_SIGHUP);
    if (strcmp(models, preload_models()) != 0 || strcmp(database, preload_database()) != 0)
        start_preloader();
    pfree(models);
    pfree(database);
}

void wait_for_news(long timeout_ms) {
    const int wanted = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout_ms > 0 ? WL_TIMEOUT : 0);
    (void)WaitLatch(MyLatch, wanted, timeout_ms, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    if (ShutdownRequestPending) proc_exit(1);  // not 0: that is for good
    if (ConfigReloadPending) read_settings();
}

/// Returns when the parent has ended.
void keep_parent() {
    int status;
    start_parent();
    start_preloader();
    while (!parent_has_ended(&status))
        wait_for_news(0);
    if (WIFSIGNALED(status))
        ereport(LOG, (errmsg("the warm parent of lookalike's workers was ended by signal %d",
                             WTERMSIG(status))));
    else
        ereport(LOG, (errmsg("the warm parent of lookalike's workers ended with exit code %d",
                             WEXITSTATUS(status))));
}

void note_child_end(SIGNAL_ARGS) {
    const int saved = errno;
    SetLatch(MyLatch);
    errno = saved;
}

void preload_one(const char* key) {
    PG_TRY();
    {
        StartTransactionCommand();
        PushActiveSnapshot(GetTransactionSnapshot());
        const double load_ms = preload_registered_model(key);
        PopActiveSnapshot();
        CommitTransactionCommand();
        ereport(LOG, (errmsg("network \"%s\" was loaded into the warm parent in %.0f ms", key,
                             load_ms)));
    }
    PG_CATCH();
    {
        // The next one may be better.
        EmitErrorReport();
        FlushErrorState();
        AbortCurrentTransaction();
    }
    PG_END_TRY();
}

}  // namespace

void set_up_warm_start() {
    if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade) return;
    request_turn_table();
    BackgroundWorker launcher;
    fill_in(&launcher, "lookalike launcher", "lookalike_launcher_main");
    launcher.bgw_restart_time = kRestartSeconds;
    RegisterBackgroundWorker(&launcher);
}

}  // namespace lookalike

using namespace lookalike;

extern "C" {
__attribute__((visibility("default"))) void lookalike_launcher_main(Datum);
__attribute__((visibility("default"))) void lookalike_preloader_main(Datum);
}

void lookalike_launcher_main(Datum) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    pqsignal(SIGCHLD, note_child_end);
    BackgroundWorkerUnblockSignals();
    before_shmem_exit(stop_parent, 0);
    for (;;) {
        const TimestampTz start = GetCurrentTimestamp();
        keep_parent();
        const TimestampTz pause_end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPauseMs);
        if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), kShortLifeMs)) continue;
        while (const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), pause_end))
            wait_for_news(left);
    }
}

void lookalike_preloader_main(Datum) {
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(preload_database(), nullptr, 0);
    List* keys = NIL;
    char* names = MemoryContextStrdup(TopMemoryContext, preload_models());
    if (!SplitIdentifierString(names, ',', &keys))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"lookalike.preload_models\" is not a list of names")));
    ListCell* cell;
    foreach (cell, keys)
        preload_one(static_cast<const char*>(lfirst(cell)));
    proc_exit(0);
}

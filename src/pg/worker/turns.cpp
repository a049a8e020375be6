#include "pg/worker/turns.h"

#include <signal.h>

#include "pg/image/settings.h"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
}

namespace lookalike {
namespace {

constexpr char kTable[] = "lookalike worker turns";
/// Nobody loses a turn before: a worker that is started for less is not worth it.
constexpr long kMinTurnMs = 100;
/// How often those who wait look for sessions that have become idle.
constexpr long kLookAgainMs = 20;

enum class TurnState { kNone, kWaiting, kIdle, kBusy };

/// One of a backend.
struct Turn {
    TurnState state;
    int worker_pid;  ///< 0: not started yet
    uint64 warm_id;
    uint64 ticket;           ///< kWaiting: the lowest is next
    TimestampTz since;       ///< kIdle, kBusy: begin of the turn
    TimestampTz idle_since;  ///< kIdle
};

struct TurnTable {
    ConditionVariable turn_ended;
    uint64 last_ticket;
    Turn turns[FLEXIBLE_ARRAY_MEMBER];
};

TurnTable* table = nullptr;
LWLock* lock = nullptr;

shmem_startup_hook_type next_startup_hook = nullptr;

Size table_bytes() {
    return add_size(offsetof(TurnTable, turns),
                    mul_size(static_cast<Size>(max_backends()), sizeof(Turn)));
}

void request_memory() {
    RequestAddinShmemSpace(table_bytes());
    RequestNamedLWLockTranche(kTable, 1);
}

void create_table() {
    if (next_startup_hook) next_startup_hook();
    bool found;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    table = static_cast<TurnTable*>(ShmemInitStruct(kTable, table_bytes(), &found));
    if (!found) {
        memset(static_cast<void*>(table), 0, table_bytes());
        ConditionVariableInit(&table->turn_ended);
    }
    lock = &GetNamedLWLockTranche(kTable)->lock;
    LWLockRelease(AddinShmemInitLock);
}

Turn* my_turn() {
    return &table->turns[my_proc_number()];
}

/// What a session has to know of the others. REQUIRES: the lock.
struct Others {
    int in_use;           ///< turns, the own one included
    uint64 first_ticket;  ///< of those who wait, PG_UINT64_MAX: nobody
    Turn* idle_longest;   ///< whose turn may be taken
};

Others look_at_others(TimestampTz now) {
    Others others = {0, PG_UINT64_MAX, nullptr};
    for (int i = 0; i < max_backends(); ++i) {
        Turn* turn = &table->turns[i];
        if (turn->state == TurnState::kWaiting)
            others.first_ticket = Min(others.first_ticket, turn->ticket);
        if (turn->state == TurnState::kIdle || turn->state == TurnState::kBusy) ++others.in_use;
        if (turn->state == TurnState::kIdle &&
            TimestampDifferenceExceeds(turn->since, now, kMinTurnMs) &&
            (!others.idle_longest || turn->idle_since < others.idle_longest->idle_since))
            others.idle_longest = turn;
    }
    return others;
}

bool try_to_take(Turn* mine, uint64* ended_worker) {
    const TimestampTz now = GetCurrentTimestamp();
    LWLockAcquire(lock, LW_EXCLUSIVE);
    const Others others = look_at_others(now);
    const bool has_room = others.in_use < max_workers();
    const bool taken = others.first_ticket == mine->ticket && (has_room || others.idle_longest);
    if (taken && !has_room) {
        Turn* lost = others.idle_longest;
        *ended_worker = lost->warm_id;
        // A child of the other backend, which does not reap it before it has ended its turn under
        // this lock: the number is still its own.
        if (lost->warm_id == 0 && lost->worker_pid > 0) kill(lost->worker_pid, SIGKILL);
        lost->state = TurnState::kNone;
    }
    if (taken) {
        mine->state = TurnState::kBusy;
        mine->since = now;
        mine->worker_pid = 0;
        mine->warm_id = 0;
    }
    LWLockRelease(lock);
    return taken;
}

}  // namespace

void request_turn_table() {
    on_shared_memory_request<request_memory>();
    next_startup_hook = shmem_startup_hook;
    shmem_startup_hook = create_table;
}

bool turns_are_counted() {
    return table != nullptr;
}

uint64 take_turn() {
    if (!table) return 0;
    Turn* mine = my_turn();
    uint64 ended_worker = 0;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    mine->state = TurnState::kWaiting;
    mine->ticket = ++table->last_ticket;
    LWLockRelease(lock);
    while (!try_to_take(mine, &ended_worker))
        ConditionVariableTimedSleep(&table->turn_ended, kLookAgainMs, PG_WAIT_EXTENSION);
    ConditionVariableCancelSleep();
    return ended_worker;
}

void set_turn_worker(int pid, uint64 warm_id) {
    if (!table) return;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    my_turn()->worker_pid = pid;
    my_turn()->warm_id = warm_id;
    LWLockRelease(lock);
}

void pause_turn() {
    if (!table) return;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    my_turn()->idle_since = GetCurrentTimestamp();
    my_turn()->state = TurnState::kIdle;
    LWLockRelease(lock);
}

bool resume_turn() {
    if (!table) return true;
    const TimestampTz now = GetCurrentTimestamp();
    Turn* mine = my_turn();
    LWLockAcquire(lock, LW_EXCLUSIVE);
    bool resumed = mine->state == TurnState::kIdle;
    if (resumed && TimestampDifferenceExceeds(mine->since, now, kMinTurnMs)) {
        const Others others = look_at_others(now);
        resumed = others.first_ticket == PG_UINT64_MAX || others.in_use < max_workers();
    }
    if (resumed) mine->state = TurnState::kBusy;
    LWLockRelease(lock);
    return resumed;
}

void end_turn() {
    if (!table) return;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    my_turn()->state = TurnState::kNone;
    LWLockRelease(lock);
    ConditionVariableBroadcast(&table->turn_ended);
}

}  // namespace lookalike

#include "am/scan_totals.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "funcapi.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
}

#include <algorithm>

#include "am/scan_rights.h"

namespace lookalike {
namespace {

constexpr int kSharedIndexes = 1000;
const char kSharedName[] = "lookalike scan totals";

struct TotalsKey {
    Oid database;
    Oid index;
};

struct Totals {
    TotalsKey key;
    slock_t mutex;  // of what follows; only taken in shared memory
    uint64 scans;
    ScanCounts counts;
    ListChanges changes;

    void add(const ScanCounts& scan);
    void add(const ListChanges& more) { changes.add(more); }
};

// The lock guards which entries there are: shared to find one, exclusive to add and remove.
struct SharedState {
    LWLock* lock;
    Totals others;  // of indexes that found no place
};

SharedState* shared_state = nullptr;  // null: the totals are this session's
HTAB* table = nullptr;

Size shared_bytes() {
    return add_size(MAXALIGN(sizeof(SharedState)),
                    hash_estimate_size(kSharedIndexes, sizeof(Totals)));
}

void request_memory() {
    RequestAddinShmemSpace(shared_bytes());
    RequestNamedLWLockTranche(kSharedName, 1);
}

void clear_counts(Totals* totals) {
    totals->scans = 0;
    totals->counts = {};
    totals->changes = {};
}

shmem_startup_hook_type previous_startup_hook;

void attach_memory() {
    if (previous_startup_hook != nullptr) previous_startup_hook();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found;
    shared_state =
        static_cast<SharedState*>(ShmemInitStruct(kSharedName, sizeof(SharedState), &found));
    if (!found) {
        shared_state->lock = &GetNamedLWLockTranche(kSharedName)->lock;
        shared_state->others.key = {InvalidOid, InvalidOid};
        SpinLockInit(&shared_state->others.mutex);
        clear_counts(&shared_state->others);
    }
    HASHCTL control{};
    control.keysize = sizeof(TotalsKey);
    control.entrysize = sizeof(Totals);
    table = ShmemInitHash("lookalike scan totals of indexes", kSharedIndexes, kSharedIndexes,
                          &control, HASH_ELEM | HASH_BLOBS);
    LWLockRelease(AddinShmemInitLock);
}

void make_local_table() {
    HASHCTL control{};
    control.keysize = sizeof(TotalsKey);
    control.entrysize = sizeof(Totals);
    control.hcxt = TopMemoryContext;
    table = hash_create(kSharedName, 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

// An index's entry, made if there is a place for it; else that of all others.
Totals* make_totals(const TotalsKey& key) {
    const bool is_full = shared_state != nullptr && hash_get_num_entries(table) >= kSharedIndexes;
    bool found = false;
    auto* totals =
        static_cast<Totals*>(hash_search(table, &key, is_full ? HASH_FIND : HASH_ENTER, &found));
    if (totals == nullptr) return &shared_state->others;
    if (!found) {
        SpinLockInit(&totals->mutex);
        clear_counts(totals);
    }
    return totals;
}

void Totals::add(const ScanCounts& scan) {
    ++scans;
    counts.add(scan);
}

bool is_empty(const Totals& totals) {
    return totals.scans == 0 && totals.changes.splits == 0 && totals.changes.merges == 0;
}

// Counts in a copy of the totals of this database's indexes, and of the others. Palloc'd.
Totals* copy_totals(uint64* count) {
    *count = 0;
    if (table == nullptr) return nullptr;
    if (shared_state != nullptr) LWLockAcquire(shared_state->lock, LW_SHARED);
    auto* copies = static_cast<Totals*>(
        palloc(sizeof(Totals) * static_cast<Size>(hash_get_num_entries(table) + 1)));
    HASH_SEQ_STATUS sequence;
    hash_seq_init(&sequence, table);
    while (auto* totals = static_cast<Totals*>(hash_seq_search(&sequence))) {
        if (totals->key.database != MyDatabaseId) continue;
        SpinLockAcquire(&totals->mutex);
        copies[(*count)++] = *totals;
        SpinLockRelease(&totals->mutex);
    }
    if (shared_state != nullptr) {
        SpinLockAcquire(&shared_state->others.mutex);
        const Totals others = shared_state->others;
        SpinLockRelease(&shared_state->others.mutex);
        if (!is_empty(others)) copies[(*count)++] = others;
        LWLockRelease(shared_state->lock);
    }
    return copies;
}

void lock_entries() {
    if (shared_state != nullptr) LWLockAcquire(shared_state->lock, LW_EXCLUSIVE);
}

void unlock_entries() {
    if (shared_state != nullptr) LWLockRelease(shared_state->lock);
}

// REQUIRES: lock_entries().
void forget_database(Oid database) {
    HASH_SEQ_STATUS sequence;
    hash_seq_init(&sequence, table);
    while (auto* totals = static_cast<Totals*>(hash_seq_search(&sequence))) {
        if (totals->key.database == database) {
            hash_search(table, &totals->key, HASH_REMOVE, nullptr);
        }
    }
}

object_access_hook_type previous_access_hook;

// What is dropped gives its place back at once. Should the drop be rolled back, its sums begin
// anew.
void forget_dropped(ObjectAccessType access, Oid class_id, Oid object_id, int part,
                    void* argument) {
    if (previous_access_hook != nullptr) {
        previous_access_hook(access, class_id, object_id, part, argument);
    }
    if (access != OAT_DROP || table == nullptr) return;
    if (class_id != RelationRelationId && class_id != DatabaseRelationId) return;
    lock_entries();
    if (class_id == DatabaseRelationId) {
        forget_database(object_id);
    } else {
        const TotalsKey key{MyDatabaseId, object_id};
        hash_search(table, &key, HASH_REMOVE, nullptr);
    }
    unlock_entries();
}

template <class Counts>
void add_counts(Relation index, const Counts& counts) {
    const TotalsKey key{MyDatabaseId, RelationGetRelid(index)};
    if (shared_state == nullptr) {
        if (table == nullptr) make_local_table();
        make_totals(key)->add(counts);
        return;
    }
    if (RELATION_IS_LOCAL(index)) return;
    LWLockAcquire(shared_state->lock, LW_SHARED);
    auto* totals = static_cast<Totals*>(hash_search(table, &key, HASH_FIND, nullptr));
    if (totals == nullptr) {
        LWLockRelease(shared_state->lock);
        LWLockAcquire(shared_state->lock, LW_EXCLUSIVE);
        totals = make_totals(key);
    }
    SpinLockAcquire(&totals->mutex);
    totals->add(counts);
    SpinLockRelease(&totals->mutex);
    LWLockRelease(shared_state->lock);
}

struct TotalsRows {
    uint64 count;
    Totals* totals;
};

}  // namespace

void prepare_scan_totals() {
    previous_access_hook = object_access_hook;
    object_access_hook = forget_dropped;
    if (!process_shared_preload_libraries_in_progress) return;
    on_shared_memory_request<request_memory>();
    previous_startup_hook = shmem_startup_hook;
    shmem_startup_hook = attach_memory;
}

void ListChanges::add(const ListChanges& other) {
    splits += other.splits;
    merges += other.merges;
    milliseconds += other.milliseconds;
}

void add_to_totals(Relation index, const ScanCounts& counts) {
    add_counts(index, counts);
}

void add_to_totals(Relation index, const ListChanges& changes) {
    add_counts(index, changes);
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(faiss_index_totals) {
    constexpr int kColumnCount = 14;
    FuncCallContext* call;
    if (SRF_IS_FIRSTCALL()) {
        call = SRF_FIRSTCALL_INIT();
        const MemoryContext previous = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        if (get_call_result_type(fcinfo, nullptr, &call->tuple_desc) != TYPEFUNC_COMPOSITE ||
            call->tuple_desc->natts != kColumnCount) {
            elog(ERROR, "return type must be the declared row type");
        }
        auto* rows = static_cast<TotalsRows*>(palloc(sizeof(TotalsRows)));
        rows->totals = copy_totals(&rows->count);
        call->user_fctx = rows;
        MemoryContextSwitchTo(previous);
    }
    call = SRF_PERCALL_SETUP();
    const auto* rows = static_cast<const TotalsRows*>(call->user_fctx);
    if (call->call_cntr >= rows->count) SRF_RETURN_DONE(call);
    const Totals& totals = rows->totals[call->call_cntr];
    const ScanCounts& counts = totals.counts;
    Datum values[kColumnCount] = {ObjectIdGetDatum(totals.key.index),
                                  CStringGetTextDatum(shared_state ? "server" : "session"),
                                  Int64GetDatum(static_cast<int64>(totals.scans)),
                                  Int64GetDatum(static_cast<int64>(counts.loops)),
                                  Int64GetDatum(static_cast<int64>(counts.lists_probed)),
                                  Int64GetDatum(static_cast<int64>(counts.lists_skipped)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_scanned)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_filtered)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_refined)),
                                  Int64GetDatum(static_cast<int64>(counts.rows_emitted)),
                                  Float8GetDatum(counts.milliseconds),
                                  Int64GetDatum(static_cast<int64>(totals.changes.splits)),
                                  Int64GetDatum(static_cast<int64>(totals.changes.merges)),
                                  Float8GetDatum(totals.changes.milliseconds)};
    bool is_null[kColumnCount] = {!OidIsValid(totals.key.index)};
    // How often an index is scanned is no secret: pg_stat_all_indexes tells it to everybody.
    constexpr int kFirstCount = 3;
    if (!may_see_counts(totals.key.index, GetUserId())) {
        std::fill(is_null + kFirstCount, is_null + kColumnCount, true);
    }
    HeapTuple tuple = heap_form_tuple(call->tuple_desc, values, is_null);
    SRF_RETURN_NEXT(call, HeapTupleGetDatum(tuple));
}

// Of this database's indexes, and of those that found no place.
SQL_FUNCTION(faiss_index_stats_reset) {
    if (table == nullptr) PG_RETURN_VOID();
    lock_entries();
    forget_database(MyDatabaseId);
    if (shared_state != nullptr) clear_counts(&shared_state->others);
    unlock_entries();
    PG_RETURN_VOID();
}

// PostgreSQL's headers, and everything that differs between its versions 14 to 18.
// Include this before anything else in pg/ and am/.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/gist_private.h"
#include "access/relscan.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "pgstat.h"
#include "postmaster/autovacuum.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/varbit.h"

// ICU's headers need not be there, and nothing of theirs is used.
#pragma push_macro("USE_ICU")
#undef USE_ICU
#include "utils/pg_locale.h"
#pragma pop_macro("USE_ICU")
#if PG_VERSION_NUM < 150000
#include "replication/walsender.h"
#endif
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
}

#if PG_VERSION_NUM < 140000
#error "lookalike needs PostgreSQL 14 or newer"
#endif

// Names that came later, for the versions before.
#if PG_VERSION_NUM < 150000
#define TUPLESORT_RANDOMACCESS true
#define MarkGUCPrefixReserved EmitWarningsOnPlaceholders
#endif
#if PG_VERSION_NUM < 160000
#define rd_locator rd_node
#define relNumber relNode
#define object_ownercheck(class_id, object_id, role_id) pg_class_ownercheck(object_id, role_id)
#endif
#if PG_VERSION_NUM < 170000
/// Until the settings' nest level ends, as PostgreSQL 17 does for code of a table's owner.
inline void RestrictSearchPath() {
    set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                      GUC_ACTION_SAVE, true, 0, false);
}
#endif

/// Whether the user holds MAINTAIN on a table, which PostgreSQL 17 introduced.
inline bool may_maintain_table([[maybe_unused]] Oid table_id) {
#if PG_VERSION_NUM >= 170000
    return pg_class_aclcheck(table_id, GetUserId(), ACL_MAINTAIN) == ACLCHECK_OK;
#else
    return false;
#endif
}

/// Makes a path whose cost is infinite lose against paths that the user has disabled, too: from
/// PostgreSQL 18 on these are counted before costs are compared.
inline void rule_out([[maybe_unused]] Path* path) {
#if PG_VERSION_NUM >= 180000
    path->disabled_nodes = 1000;
#endif
}

/// Visits the parts of an expression until the walker says true.
inline bool walk_expression(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker_impl(node, walker, context);
#else
    return expression_tree_walker(
        node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

/// Whether text under this collation sorts by its bytes.
inline bool sorts_by_bytes(Oid collation) {
#if PG_VERSION_NUM >= 180000
    return pg_newlocale_from_collation(collation)->collate_is_c;
#else
    return lc_collate_is_c(collation);
#endif
}

/// The table whose index is vacuumed; null before PostgreSQL 16, which means any.
inline Relation vacuumed_table([[maybe_unused]] const IndexVacuumInfo* info) {
#if PG_VERSION_NUM >= 160000
    return info->heaprel;
#else
    return nullptr;
#endif
}

/// Queries of a standby that began before this transaction end there before what follows in the
/// log. PostgreSQL has this record for pages of its own that are given back: it names an index, a
/// block and a horizon, and changes nothing. `table`: as vacuumed_table() gives it.
inline void log_horizon(Relation index, [[maybe_unused]] Relation table, BlockNumber block,
                        FullTransactionId horizon) {
#if PG_VERSION_NUM >= 160000
    gistXLogPageReuse(index, table, block, horizon);
#else
    gistXLogPageReuse(index, block, horizon);
#endif
}

/// Lets VACUUM rest and be cancelled.
#if PG_VERSION_NUM >= 180000
#define vacuum_pause() vacuum_delay_point(false)
#else
#define vacuum_pause() vacuum_delay_point()
#endif

/// Calls `request`, which may ask for shared memory and locks, when the server is about to lay them
/// out. REQUIRES: process_shared_preload_libraries_in_progress.
template <void (*request)()>
void on_shared_memory_request() {
#if PG_VERSION_NUM >= 150000
    static shmem_request_hook_type previous;
    previous = shmem_request_hook;
    shmem_request_hook = [] {
        if (previous != nullptr) previous();
        request();
    };
#else
    request();
#endif
}

/// Counts a search for the statistics views and, from PostgreSQL 18 on, for EXPLAIN.
inline void count_index_search(IndexScanDesc scan) {
    pgstat_count_index_scan(scan->indexRelation);
#if PG_VERSION_NUM >= 180000
    if (scan->instrument != nullptr) ++scan->instrument->nsearches;
#endif
}

/// Calls `show` for each node that EXPLAIN has shown. Before PostgreSQL 18 it asks nobody.
template <void (*show)(PlanState*, ExplainState*)>
void on_explain_of_node() {
#if PG_VERSION_NUM >= 180000
    static explain_per_node_hook_type previous;
    previous = explain_per_node_hook;
    explain_per_node_hook = [](PlanState* node, List* ancestors, const char* relationship,
                               const char* plan_name, ExplainState* explain) {
        if (previous != nullptr) previous(node, ancestors, relationship, plan_name, explain);
        show(node, explain);
    };
#endif
}

/// Processes that can have a session or run a background worker.
inline int max_backends() {
#if PG_VERSION_NUM >= 150000
    return MaxBackends;
#else
    return MaxConnections + autovacuum_max_workers + 1 + max_worker_processes + max_wal_senders;
#endif
}

/// This backend's place among them, from 0.
inline int my_proc_number() {
#if PG_VERSION_NUM >= 170000
    return MyProcNumber;
#else
    return MyProc->pgprocno;
#endif
}

// printf-style macros of PostgreSQL that would reach into the C++ library.
#undef printf
#undef snprintf
#undef vsnprintf

/// Defines a function callable from SQL: exported, and in the global namespace with C linkage.
#define SQL_FUNCTION(name)                                               \
    extern "C" {                                                         \
    __attribute__((visibility("default"))) Datum name(PG_FUNCTION_ARGS); \
    extern __attribute__((visibility("default")))                        \
    const Pg_finfo_record* CppConcat(pg_finfo_, name)(void);             \
    PG_FUNCTION_INFO_V1(name);                                           \
    }                                                                    \
    Datum name([[maybe_unused]] FunctionCallInfo fcinfo)

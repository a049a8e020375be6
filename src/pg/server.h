// PostgreSQL's headers, and everything that differs between its versions 14 to 18.
// Include this before anything else in pg/ and am/.
#pragma once

extern "C" {
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/supportnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/varbit.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
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

/// PostgreSQL 14 takes a bool for the option of tuplesort_begin_heap().
#if PG_VERSION_NUM < 150000
#define TUPLESORT_RANDOMACCESS true
#endif

#if PG_VERSION_NUM < 140000
#error "lookalike needs PostgreSQL 14 or newer"
#endif

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

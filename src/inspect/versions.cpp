// lookalike_versions: what a bug report needs.
#include "pg/server.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "funcapi.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
}

#include "core/page/page_format.h"
#include "core/vector/distance_kernels.h"
#include "pg/worker/client.h"

using namespace lookalike;

namespace {

constexpr int kMaxRows = 32;

// In the memory context of the whole call.
struct VersionRows {
    int count;
    const char* components[kMaxRows];
    const char* versions[kMaxRows];
};

void add_row(VersionRows* rows, const char* component, const char* version) {
    if (rows->count == kMaxRows) return;
    rows->components[rows->count] = pstrdup(component);
    rows->versions[rows->count++] = pstrdup(version);
}

// The version that this database has installed, which an older library may serve.
const char* installed_version() {
    const Oid extension = get_extension_oid("lookalike", true);
    Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(extension));
    SysScanDesc scan = systable_beginscan(catalog, ExtensionOidIndexId, true, nullptr, 1, &key);
    const char* version = "not installed";
    if (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple)) {
        bool is_null;
        const Datum value =
            heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(catalog), &is_null);
        if (!is_null) version = TextDatumGetCString(value);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return version;
}

// A line is a component, a space and its version.
void add_lines(VersionRows* rows, char* text) {
    char* rest = text;
    while (char* line = strsep(&rest, "\n")) {
        char* space = strchr(line, ' ');
        if (space == nullptr) continue;
        *space = '\0';
        add_row(rows, line, space + 1);
    }
}

bool is_cancel(int state) {
    return state == ERRCODE_QUERY_CANCELED ||
           ERRCODE_TO_CATEGORY(state) == ERRCODE_TO_CATEGORY(ERRCODE_ADMIN_SHUTDOWN);
}

// A bug report about a worker that does not start wants the other rows and the reason, not an
// ERROR. The subtransaction ends the worker either way; cancelling still cancels.
void add_worker_rows(VersionRows* rows) {
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    BeginInternalSubTransaction(nullptr);
    PG_TRY();
    {
        const WorkerLimits limits{
            .shared_bytes = 4096, .thread_count = 1, .memory_budget_bytes = 64 << 20};
        Worker* worker = worker_start(&limits);
        char* text = worker_versions(worker);
        worker_stop(worker);
        MemoryContextSwitchTo(context);
        add_lines(rows, text);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData* error = CopyErrorData();
        if (is_cancel(error->sqlerrcode)) PG_RE_THROW();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        add_row(rows, "worker", psprintf("not available: %s", error->message));
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
}

VersionRows* collect_rows() {
    auto* rows = static_cast<VersionRows*>(palloc0(sizeof(VersionRows)));
    add_row(rows, "lookalike", installed_version());
    add_row(rows, "page format", psprintf("%d", kFormatVersion));
    add_row(rows, "PostgreSQL", GetConfigOption("server_version", false, false));
    add_row(rows, "SIMD", simd_target_name());
    add_worker_rows(rows);
    return rows;
}

}  // namespace

SQL_FUNCTION(lookalike_versions) {
    FuncCallContext* call;
    if (SRF_IS_FIRSTCALL()) {
        call = SRF_FIRSTCALL_INIT();
        const MemoryContext previous = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        if (get_call_result_type(fcinfo, nullptr, &call->tuple_desc) != TYPEFUNC_COMPOSITE) {
            elog(ERROR, "return type must be a row type");
        }
        call->user_fctx = collect_rows();
        MemoryContextSwitchTo(previous);
    }
    call = SRF_PERCALL_SETUP();
    const auto* rows = static_cast<const VersionRows*>(call->user_fctx);
    if (call->call_cntr >= static_cast<uint64>(rows->count)) SRF_RETURN_DONE(call);
    Datum values[] = {CStringGetTextDatum(rows->components[call->call_cntr]),
                      CStringGetTextDatum(rows->versions[call->call_cntr])};
    bool is_null[] = {false, false};
    HeapTuple tuple = heap_form_tuple(call->tuple_desc, values, is_null);
    SRF_RETURN_NEXT(call, HeapTupleGetDatum(tuple));
}

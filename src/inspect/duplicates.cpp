// faiss_duplicates(): a self-join by within(), row by row as it is asked for.
#include "inspect/rights.h"

extern "C" {
#include "access/genam.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/ruleutils.h"
}

#include "am/access_method.h"
#include "pg/type/sphere.h"

namespace lookalike {
namespace {

constexpr int kColumns = 3;
constexpr int kRowsAtOnce = 100;

// How SQL names each metric's functions.
struct MetricNames {
    const char* within;
    const char* distance;
};
constexpr MetricNames kMetricNames[kMetricCount] = {{"within", "l2_distance"},
                                                    {"within_ip", "negative_inner_product"},
                                                    {"within_cosine", "cosine_distance"},
                                                    {"within_hamming", "hamming_distance"},
                                                    {"within_jaccard", "jaccard_distance"}};

// Lives as long as the function is being called.
struct Progress {
    char* portal_name;  // of the join
    TupleDesc descriptor;
    HeapTuple rows[kRowsAtOnce];  // fetched together
    uint64 row_count;
    uint64 next_row;
    MemoryContext fetched;  // owns rows
};

char* qualified_name(Oid schema, const char* name) {
    return quote_qualified_identifier(get_namespace_name(schema), name);
}

char* expression_text(const InspectedIndex& inspected) {
    // The column alone, as in pg_get_indexdef(index, 1, false).
    return TextDatumGetCString(DirectFunctionCall3(
        pg_get_indexdef_ext, ObjectIdGetDatum(RelationGetRelid(inspected.index)), Int32GetDatum(1),
        BoolGetDatum(false)));
}

// " WHERE ..." of a partial index.
const char* predicate_text(const InspectedIndex& inspected) {
    const List* predicate = RelationGetIndexPredicate(inspected.index);
    if (predicate == NIL) return "";
    List* context = deparse_context_for(RelationGetRelationName(inspected.heap),
                                        RelationGetRelid(inspected.heap));
    auto* condition = reinterpret_cast<Node*>(make_ands_explicit(const_cast<List*>(predicate)));
    return psprintf(" WHERE %s", deparse_expression(condition, context, false, false));
}

// Each pair once: of two rows, the one that lies further back is looked for around the other.
char* join_text(const InspectedIndex& inspected, Oid schema) {
    const MetricNames names = kMetricNames[static_cast<int>(metric_of(inspected.index))];
    const char* rows = psprintf("(SELECT ctid AS place, %s AS features FROM ONLY %s%s)",
                                expression_text(inspected),
                                qualified_name(RelationGetNamespace(inspected.heap),
                                               RelationGetRelationName(inspected.heap)),
                                predicate_text(inspected));
    return psprintf(
        "SELECT a.place, b.place, %s(b.features, a.features) FROM %s AS a, %s AS b"
        " WHERE %s(b.features, a.features, $1) AND b.place OPERATOR(pg_catalog.>) a.place",
        qualified_name(schema, names.distance), rows, rows, qualified_name(schema, names.within));
}

// Where the caller stops before the end.
void close_portal(Datum progress) {
    Portal portal = SPI_cursor_find(reinterpret_cast<Progress*>(progress)->portal_name);
    if (portal != nullptr) SPI_cursor_close(portal);
}

char* open_join(const char* query, double radius) {
    SPI_connect();
    Oid type = FLOAT8OID;
    Datum value = Float8GetDatum(radius);
    Portal portal = SPI_cursor_open_with_args(nullptr, query, 1, &type, &value, nullptr, true, 0);
    char* name = static_cast<char*>(SPI_palloc(strlen(portal->name) + 1));
    strcpy(name, portal->name);
    SPI_finish();
    return name;
}

Progress* start(FunctionCallInfo fcinfo) {
    check_radius(PG_GETARG_FLOAT8(1));
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), AccessShareLock, InspectRight::kQuery);
    const char* query = join_text(inspected, get_func_namespace(fcinfo->flinfo->fn_oid));
    close_inspected(inspected);
    auto* progress = static_cast<Progress*>(palloc0(sizeof(Progress)));
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
        elog(ERROR, "return type must be a row type");
    }
    progress->descriptor = BlessTupleDesc(descriptor);
    progress->fetched =
        AllocSetContextCreate(CurrentMemoryContext, "faiss_duplicates", ALLOCSET_DEFAULT_SIZES);
    progress->portal_name = open_join(query, PG_GETARG_FLOAT8(1));
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    RegisterExprContextCallback(result->econtext, close_portal, PointerGetDatum(progress));
    return progress;
}

// The next rows of the join; false at its end.
bool fetch_rows(Progress* progress) {
    MemoryContextReset(progress->fetched);
    progress->next_row = 0;
    SPI_connect();
    Portal portal = SPI_cursor_find(progress->portal_name);
    if (portal == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                        errmsg("the cursor of faiss_duplicates() has been closed")));
    }
    SPI_cursor_fetch(portal, true, kRowsAtOnce);
    progress->row_count = SPI_processed;
    for (uint64 i = 0; i < SPI_processed; ++i) {
        Datum values[kColumns];
        bool is_null[kColumns];
        heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, is_null);
        const MemoryContext previous = MemoryContextSwitchTo(progress->fetched);
        progress->rows[i] = heap_form_tuple(progress->descriptor, values, is_null);
        MemoryContextSwitchTo(previous);
    }
    SPI_finish();
    return progress->row_count > 0;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(faiss_duplicates) {
    if (SRF_IS_FIRSTCALL()) {
        FuncCallContext* first = SRF_FIRSTCALL_INIT();
        const MemoryContext previous = MemoryContextSwitchTo(first->multi_call_memory_ctx);
        first->user_fctx = start(fcinfo);
        MemoryContextSwitchTo(previous);
    }
    FuncCallContext* call = SRF_PERCALL_SETUP();
    auto* progress = static_cast<Progress*>(call->user_fctx);
    if (progress->next_row < progress->row_count || fetch_rows(progress)) {
        SRF_RETURN_NEXT(call, HeapTupleGetDatum(progress->rows[progress->next_row++]));
    }
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    UnregisterExprContextCallback(result->econtext, close_portal, PointerGetDatum(progress));
    close_portal(PointerGetDatum(progress));
    SRF_RETURN_DONE(call);
}

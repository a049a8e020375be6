// faiss_duplicates(): a self-join by within().
//
// The join runs to its end in one call and what it gives is kept in a tuplestore. Nothing of it
// waits between calls, where the user could reach it.
#include "inspect/rights.h"

extern "C" {
#include "access/genam.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/ruleutils.h"
#include "utils/tuplestore.h"
}

#include "am/access_method.h"
#include "pg/type/sphere.h"

namespace lookalike {
namespace {

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

// The names of functions that the join calls.
struct JoinText {
    const char* distance;
    const char* within;
};

// within() lies beside the function of the operator class, which may be another extension's.
JoinText join_functions(const InspectedIndex& inspected, Oid schema) {
    const ClassFacts facts = class_facts(inspected.index);
    if (facts.content == Content::kLocalFeatures)
        return {qualified_name(schema, "local_distance"), qualified_name(schema, "within")};
    const MetricTraits& metric = traits_of(facts.metric);
    if (facts.value_type == ValueType::kOwn)
        return {qualified_name(schema, metric.distance), qualified_name(schema, metric.within)};
    if (facts.value_type != ValueType::kVector) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("faiss_duplicates() does not take columns of type %s",
                               format_type_be(inspected.index->rd_opcintype[0])),
                        errhint("Index a cast of the column to descriptor.")));
    }
    const Oid type = inspected.index->rd_opcintype[0];
    const Oid distance = get_opcode(
        get_opfamily_member(inspected.index->rd_opfamily[0], type, type, kDistanceStrategy));
    const Oid class_function = index_getprocid(inspected.index, 1, kMetricProcedure);
    return {qualified_name(get_func_namespace(distance), get_func_name(distance)),
            qualified_name(get_func_namespace(class_function), metric.within)};
}

// Each pair once: of two rows, the one that lies further back is looked for around the other.
char* join_text(const InspectedIndex& inspected, Oid schema, double radius) {
    const JoinText functions = join_functions(inspected, schema);
    const char* rows = psprintf("(SELECT ctid AS place, %s AS features FROM ONLY %s%s)",
                                expression_text(inspected),
                                qualified_name(RelationGetNamespace(inspected.heap),
                                               RelationGetRelationName(inspected.heap)),
                                predicate_text(inspected));
    return psprintf(
        "SELECT a.place, b.place, %s(b.features, a.features) FROM %s AS a, %s AS b"
        " WHERE %s(b.features, a.features, '%s'::pg_catalog.float8)"
        " AND b.place OPERATOR(pg_catalog.>) a.place",
        functions.distance, rows, rows, functions.within, float8out_internal(radius));
}

// Where the rows of the function's answer go, in the memory of the query that calls it.
DestReceiver* open_result(FunctionCallInfo fcinfo) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (result == nullptr || !IsA(result, ReturnSetInfo) ||
        (result->allowedModes & SFRM_Materialize) == 0) {
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("set-valued function called in a context that cannot accept a set")));
    }
    MemoryContext memory = result->econtext->ecxt_per_query_memory;
    const MemoryContext previous = MemoryContextSwitchTo(memory);
    if (get_call_result_type(fcinfo, nullptr, &result->setDesc) != TYPEFUNC_COMPOSITE) {
        elog(ERROR, "return type must be a row type");
    }
    result->returnMode = SFRM_Materialize;
    result->setResult = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
                                              false, work_mem);
    MemoryContextSwitchTo(previous);
    DestReceiver* receiver = CreateTuplestoreDestReceiver();
    // A row of another shape than the function's is an error.
    SetTuplestoreDestReceiverParams(receiver, result->setResult, memory, false, result->setDesc,
                                    "the join gives rows of another type than declared");
    return receiver;
}

void run_join(const char* query, uint64 most_pairs, DestReceiver* receiver) {
    SPI_connect();
    const SPIExecuteOptions options{.params = nullptr,
                                    .read_only = true,
                                    .allow_nonatomic = false,
                                    .must_return_tuples = true,
                                    .tcount = most_pairs,
                                    .dest = receiver,
                                    .owner = nullptr};
    const int status = SPI_execute_extended(query, &options);
    if (status != SPI_OK_SELECT) {
        elog(ERROR, "the join failed: %s", SPI_result_code_string(status));
    }
    SPI_finish();
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(faiss_duplicates) {
    const double radius = PG_GETARG_FLOAT8(1);
    const int64 most_pairs = PG_GETARG_INT64(2);
    check_radius(radius);
    if (most_pairs < 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"max_pairs\" must not be negative")));
    }
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), AccessShareLock, InspectRight::kQuery);
    const bool as_owner = has_owners_code(inspected.index);
    if (as_owner) check_reads_every_row(inspected);
    const char* query = join_text(inspected, get_func_namespace(fcinfo->flinfo->fn_oid), radius);
    DestReceiver* receiver = open_result(fcinfo);
    // Without code of the owner it is a query like any of the caller's own: his rights, his rows.
    if (!as_owner) close_inspected(inspected);
    run_join(query, static_cast<uint64>(most_pairs), receiver);
    if (as_owner) close_inspected(inspected);
    PG_RETURN_NULL();
}

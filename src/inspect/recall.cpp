// faiss_index_recall: what share of the truly nearest rows an index finds now, and how fast.
// Indexes of other access methods can be asked too, for comparison.
//
// Rows of the table are the queries. Each is asked twice by an ordinary statement through the
// executor: once where the planner sees no index of the table but the one in question, once where
// it sees none.
#include "am/access_method.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/plannodes.h"
#include "optimizer/plancat.h"
#include "portability/instr_time.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
}

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/local/set_match.h"
#include "inspect/rights.h"

using namespace lookalike;

namespace {

constexpr int32 kMostQueries = 10000;
constexpr int32 kMostRows = 1000;

// Which indexes of the measured table the planner sees in our statements. Set while a recall is
// measured.
struct VisibleIndexes {
    Oid table;  // InvalidOid: nothing is hidden
    Oid index;  // InvalidOid: none is seen
};
VisibleIndexes visible;
// The name of our statements' second column: hiding is for them, not for others that are planned
// meanwhile, which functions in the index's expressions may run.
constexpr char kMark[] = "lookalike recall";
get_relation_info_hook_type previous_hook;
bool hook_is_set = false;

bool is_own_statement(const PlannerInfo* root) {
    const List* columns = root->parse->targetList;
    if (list_length(columns) < 2) return false;
    const char* name = lsecond_node(TargetEntry, columns)->resname;
    return name != nullptr && strcmp(name, kMark) == 0;
}

void hide_indexes(PlannerInfo* root, Oid table, bool is_parent, RelOptInfo* relation) {
    if (previous_hook != nullptr) previous_hook(root, table, is_parent, relation);
    if (table != visible.table || !is_own_statement(root)) return;
    List* seen = NIL;
    ListCell* cell;
    foreach (cell, relation->indexlist) {
        auto* info = static_cast<IndexOptInfo*>(lfirst(cell));
        if (info->indexoid == visible.index) seen = lappend(seen, info);
    }
    relation->indexlist = seen;
}

// Until the current memory context goes, also when an error takes it away. Then comes back what an
// outer call hides: this one may be called by a function in an index's expression.
void start_hiding(Oid table) {
    if (!hook_is_set) {
        previous_hook = get_relation_info_hook;
        get_relation_info_hook = hide_indexes;
        hook_is_set = true;
    }
    auto* outer = static_cast<VisibleIndexes*>(palloc(sizeof(VisibleIndexes)));
    *outer = visible;
    auto* callback = static_cast<MemoryContextCallback*>(palloc0(sizeof(MemoryContextCallback)));
    callback->func = [](void* before) { visible = *static_cast<VisibleIndexes*>(before); };
    callback->arg = outer;
    MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
    visible = {.table = table, .index = InvalidOid};
}

// The parts of the statements.
struct IndexText {
    const char* table;
    const char* value;      // the first column or expression
    const char* distance;   // the operator
    const char* condition;  // of a partial index, or "true"
    Oid type;
    bool may_lack_direction;
    double farthest;  // rows beyond are near by chance: whether they are found tells nothing
};

const char* operator_text(Oid operator_id) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_id));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator %u", operator_id);
    const auto* form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char* text =
        psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
                 NameStr(form->oprname));
    ReleaseSysCache(tuple);
    return text;
}

const char* condition_text(Relation index) {
    bool is_null;
    const Datum condition =
        SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indpred, &is_null);
    if (is_null) return "true";
    return TextDatumGetCString(
        DirectFunctionCall2(pg_get_expr, condition, ObjectIdGetDatum(index->rd_index->indrelid)));
}

// Access methods that order by distance number its operator alike.
Oid distance_operator(Relation index) {
    const Oid type = index->rd_opcintype[0];
    const Oid distance = get_opfamily_member(index->rd_opfamily[0], type, type, kDistanceStrategy);
    if (!index->rd_indam->amcanorderbyop || !OidIsValid(distance) ||
        get_func_rettype(get_opcode(distance)) != FLOAT8OID) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("index \"%s\" does not order by a distance",
                               RelationGetRelationName(index))));
    }
    return distance;
}

// Names come out qualified: nothing but pg_catalog is on the search path.
IndexText index_text(const InspectedIndex& inspected) {
    Relation index = inspected.index;
    const Oid type = index->rd_opcintype[0];
    const Datum value =
        DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(RelationGetRelid(index)),
                            Int32GetDatum(1), BoolGetDatum(false));
    return {.table =
                quote_qualified_identifier(get_namespace_name(RelationGetNamespace(inspected.heap)),
                                           RelationGetRelationName(inspected.heap)),
            .value = TextDatumGetCString(value),
            .distance = operator_text(distance_operator(index)),
            .condition = condition_text(index),
            .type = type,
            .may_lack_direction = !is_faiss(index) || needs_direction(metric_of(index)),
            .farthest = is_faiss(index) && content_of(index) == Content::kLocalFeatures
                            ? kSameDistance
                            : std::numeric_limits<double>::infinity()};
}

void check_spi(int result, const char* what) {
    if (result < 0) elog(ERROR, "%s failed: %s", what, SPI_result_code_string(result));
}

struct Queries {
    uint64 count;
    Datum* values;
    ItemPointerData* rows;
};

// A random sample, but the same one each time, so that settings can be compared.
Queries choose_queries(const IndexText& text, int32 sample) {
    const char* only_numbers =
        text.may_lack_direction
            ? psprintf("AND (%s %s %s) <> 'NaN'", text.value, text.distance, text.value)
            : "";
    check_spi(SPI_execute(psprintf("SELECT ctid, %s AS \"%s\" FROM ONLY %s"
                                   " WHERE (%s) AND (%s) IS NOT NULL %s"
                                   " ORDER BY pg_catalog.hashtidextended(ctid, 0) LIMIT %d",
                                   text.value, kMark, text.table, text.condition, text.value,
                                   only_numbers, sample),
                          true, 0),
              "SPI_execute");
    Queries queries{.count = SPI_processed,
                    .values = static_cast<Datum*>(palloc(sizeof(Datum) * (SPI_processed + 1))),
                    .rows = static_cast<ItemPointerData*>(
                        palloc(sizeof(ItemPointerData) * (SPI_processed + 1)))};
    for (uint64 i = 0; i < queries.count; ++i) {
        bool is_null;
        HeapTuple tuple = SPI_tuptable->vals[i];
        queries.rows[i] = *reinterpret_cast<ItemPointer>(
            DatumGetPointer(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &is_null)));
        queries.values[i] = PointerGetDatum(
            PG_DETOAST_DATUM_COPY(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &is_null)));
    }
    SPI_freetuptable(SPI_tuptable);
    return queries;
}

SPIPlanPtr prepare_search(const IndexText& text, int32 k) {
    Oid type = text.type;
    // One row more: the query's own is not counted.
    const char* statement = psprintf(
        "SELECT ctid, (%s) %s $1 AS \"%s\", $1 %s $1 FROM ONLY %s WHERE %s ORDER BY (%s) %s $1 "
        "LIMIT %d",
        text.value, text.distance, kMark, text.distance, text.table, text.condition, text.value,
        text.distance, k + 1);
    SPIPlanPtr plan = SPI_prepare_cursor(statement, 1, &type, CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr) check_spi(SPI_result, "SPI_prepare_cursor");
    return plan;
}

// The node that reads the table.
const Plan* leaf_node(SPIPlanPtr plan) {
    CachedPlan* cached = SPI_plan_get_cached_plan(plan);
    if (cached == nullptr) elog(ERROR, "a search has no plan");
    const Plan* node = linitial_node(PlannedStmt, cached->stmt_list)->planTree;
    while (node->lefttree != nullptr)
        node = node->lefttree;
    ReleaseCachedPlan(cached, nullptr);  // no resource owner knows it: the plan is not saved
    return node;
}

void check_scans_index(SPIPlanPtr plan, Relation index) {
    const Plan* node = leaf_node(plan);
    if (IsA(node, IndexScan)) {
        const auto* scan = reinterpret_cast<const IndexScan*>(node);
        if (scan->indexid == RelationGetRelid(index) && scan->indexorderby != NIL) return;
    }
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the planner does not use index \"%s\" for a search",
                           RelationGetRelationName(index))));
}

// One query's answer: distances of the nearest rows but its own, NaN as infinity.
struct Answer {
    uint32 count;
    double* distances;  // room for k
    double milliseconds;
};

// PostgreSQL 16 to 18 lose the ctid of a row that they have sorted anew: there, a row at the
// query's own distance stands for the query's own, because of equally near rows any will do.
bool is_own_row(HeapTuple tuple, ItemPointerData own) {
    bool is_null;
    const auto* row = reinterpret_cast<const ItemPointerData*>(
        DatumGetPointer(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &is_null)));
    if (ItemPointerIsValid(row)) {
        return ItemPointerGetBlockNumber(row) == ItemPointerGetBlockNumber(&own) &&
               ItemPointerGetOffsetNumber(row) == ItemPointerGetOffsetNumber(&own);
    }
    const Datum distance = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &is_null);
    if (is_null) return false;
    const Datum own_distance = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &is_null);
    return DatumGetFloat8(distance) == DatumGetFloat8(own_distance);
}

void search(SPIPlanPtr plan, const Queries& queries, uint64 query, int32 k, Answer* answer) {
    Datum value = queries.values[query];
    instr_time start;
    instr_time end;
    INSTR_TIME_SET_CURRENT(start);
    check_spi(SPI_execute_plan(plan, &value, nullptr, true, 0), "SPI_execute_plan");
    INSTR_TIME_SET_CURRENT(end);
    INSTR_TIME_SUBTRACT(end, start);
    answer->milliseconds = INSTR_TIME_GET_MILLISEC(end);
    answer->count = 0;
    bool own_left_out = false;
    for (uint64 i = 0; i < SPI_processed && answer->count < static_cast<uint32>(k); ++i) {
        HeapTuple tuple = SPI_tuptable->vals[i];
        if (!own_left_out && is_own_row(tuple, queries.rows[query])) {
            own_left_out = true;
            continue;
        }
        bool is_null;
        const Datum distance = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &is_null);
        if (is_null) continue;
        const double number = DatumGetFloat8(distance);
        answer->distances[answer->count++] =
            std::isnan(number) ? std::numeric_limits<double>::infinity() : number;
    }
    SPI_freetuptable(SPI_tuptable);
}

// Once before the clock counts: for the plan, and what a session keeps of an index.
Answer* search_all(SPIPlanPtr plan, const Queries& queries, int32 k) {
    auto* answers = static_cast<Answer*>(palloc(sizeof(Answer) * queries.count));
    for (uint64 i = 0; i < queries.count; ++i) {
        answers[i].distances = static_cast<double*>(palloc(sizeof(double) * static_cast<Size>(k)));
        if (i == 0) search(plan, queries, i, k, &answers[i]);
        search(plan, queries, i, k, &answers[i]);
    }
    return answers;
}

struct Measured {
    uint64 queries;  // 0: nothing else is known
    double recall;
    double worst_recall;
    double index_ms;
    double index_ms_p95;
    double exact_ms;
};

// Rows at the distance of the last that is wanted are as good as that one.
uint32 count_hits(const Answer& found, const Answer& exact) {
    const double farthest = exact.distances[exact.count - 1];
    const auto* end = found.distances + found.count;
    const auto hits = std::count_if(static_cast<const double*>(found.distances), end,
                                    [&](double distance) { return distance <= farthest; });
    return std::min(static_cast<uint32>(hits), exact.count);
}

// Leaves out what is farther. Distances ascend.
void leave_near(Answer* exact, uint64 count, double farthest) {
    for (Answer* answer = exact; answer < exact + count; ++answer) {
        while (answer->count > 0 && answer->distances[answer->count - 1] > farthest)
            --answer->count;
    }
}

Measured compare(Answer* found, const Answer* exact, uint64 count) {
    Measured measured{.queries = count,
                      .recall = 1,
                      .worst_recall = 1,
                      .index_ms = 0,
                      .index_ms_p95 = 0,
                      .exact_ms = 0};
    uint64 hits = 0;
    uint64 wanted = 0;
    for (uint64 i = 0; i < count; ++i) {
        measured.index_ms += found[i].milliseconds / static_cast<double>(count);
        measured.exact_ms += exact[i].milliseconds / static_cast<double>(count);
        if (exact[i].count == 0) continue;
        const uint32 query_hits = count_hits(found[i], exact[i]);
        hits += query_hits;
        wanted += exact[i].count;
        measured.worst_recall =
            std::min(measured.worst_recall, static_cast<double>(query_hits) / exact[i].count);
    }
    if (wanted > 0) measured.recall = static_cast<double>(hits) / static_cast<double>(wanted);
    std::sort(found, found + count,
              [](const Answer& a, const Answer& b) { return a.milliseconds < b.milliseconds; });
    measured.index_ms_p95 = found[(count * 95 + 99) / 100 - 1].milliseconds;
    return measured;
}

Measured measure(const InspectedIndex& inspected, int32 sample, int32 k) {
    check_spi(SPI_connect(), "SPI_connect");
    start_hiding(RelationGetRelid(inspected.heap));
    const IndexText text = index_text(inspected);
    const Queries queries = choose_queries(text, sample);
    Measured measured{};
    if (queries.count > 0) {
        visible.index = RelationGetRelid(inspected.index);
        SPIPlanPtr by_index = prepare_search(text, k);
        check_scans_index(by_index, inspected.index);
        Answer* found = search_all(by_index, queries, k);
        visible.index = InvalidOid;
        SPIPlanPtr by_table = prepare_search(text, k);
        if (!IsA(leaf_node(by_table), SeqScan)) elog(ERROR, "the exact answer has no plan");
        Answer* exact = search_all(by_table, queries, k);
        leave_near(exact, queries.count, text.farthest);
        measured = compare(found, exact, queries.count);
    }
    check_spi(SPI_finish(), "SPI_finish");
    return measured;
}

void check_range(const char* name, int32 value, int32 most) {
    if (value >= 1 && value <= most) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" must be between 1 and %d", name, most)));
}

}  // namespace

SQL_FUNCTION(faiss_index_recall) {
    constexpr int kColumnCount = 7;
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE ||
        descriptor->natts != kColumnCount) {
        elog(ERROR, "return type must be the declared row type");
    }
    const int32 sample = PG_GETARG_INT32(1);
    const int32 k = PG_GETARG_INT32(2);
    check_range("sample", sample, kMostQueries);
    check_range("k", k, kMostRows);
    const InspectedIndex inspected = open_inspected(PG_GETARG_OID(0), AccessShareLock,
                                                    InspectRight::kStatistics, IndexMethod::kAny);
    check_reads_every_row(inspected);
    set_for_now("enable_indexscan", "on");
    set_for_now("enable_seqscan", "off");
    set_for_now("enable_sort", "off");
    set_for_now("jit", "off");  // the costs of what is off would call for it
    const Measured measured = measure(inspected, sample, k);
    close_inspected(inspected);

    const bool nothing = measured.queries == 0;
    Datum values[kColumnCount] = {Int32GetDatum(k),
                                  Int32GetDatum(static_cast<int32>(measured.queries)),
                                  Float8GetDatum(measured.recall),
                                  Float8GetDatum(measured.worst_recall),
                                  Float8GetDatum(measured.index_ms),
                                  Float8GetDatum(measured.index_ms_p95),
                                  Float8GetDatum(measured.exact_ms)};
    bool is_null[kColumnCount] = {false, false, nothing, nothing, nothing, nothing, nothing};
    HeapTuple tuple = heap_form_tuple(BlessTupleDesc(descriptor), values, is_null);
    PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}

// What the planner learns about within(): the index condition that it amounts to, and the share of
// the rows that it lets through.
#include "am/sphere_planning.h"

extern "C" {
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
}

#include <algorithm>

#include "am/access_method.h"
#include "pg/descriptor_sphere.h"

namespace lookalike {
namespace {

// Where statistics say nothing: columns of more than 1 kB have none, and a centre may not be known
// before the query runs.
constexpr double kDefaultSelectivity = 0.001;
constexpr double kLeastSelectivity = 0.0001;
// A histogram with fewer values is believed in part, and with very few not at all.
constexpr int kFullHistogram = 100;
constexpr int kLeastHistogram = 10;

// "descriptor <operator> sphere" instead of within(descriptor, center, radius).
struct SphereCondition {
    Oid operator_id;  // invalid: the extension lacks it
    Expr* sphere;
};

// The parts are looked up beside the function, wherever the extension lives and whoever asks.
SphereCondition sphere_condition(Oid function, const char* operator_name, void* center,
                                 void* radius) {
    const Oid schema = get_func_namespace(function);
    Oid* types;
    int count;
    get_func_signature(function, &types, &count);
    const Oid descriptor = types[0];
    const Oid sphere_arguments[] = {descriptor, FLOAT8OID};
    const Oid make_sphere = GetSysCacheOid3(
        PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("descriptor_sphere"),
        PointerGetDatum(buildoidvector(sphere_arguments, 2)), ObjectIdGetDatum(schema));
    if (!OidIsValid(make_sphere)) return {InvalidOid, nullptr};
    const Oid sphere = get_func_rettype(make_sphere);
    const Oid operator_id = GetSysCacheOid4(
        OPERNAMENSP, Anum_pg_operator_oid, CStringGetDatum(operator_name),
        ObjectIdGetDatum(descriptor), ObjectIdGetDatum(sphere), ObjectIdGetDatum(schema));
    return {operator_id,
            reinterpret_cast<Expr*>(makeFuncExpr(make_sphere, sphere, list_make2(center, radius),
                                                 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL))};
}

// The distances are symmetric, so either of the first two arguments may be the indexed column.
List* index_condition(SupportRequestIndexCondition* request, const char* operator_name) {
    if (!is_funcclause(request->node) || request->indexarg > 1) return NIL;
    const List* arguments = reinterpret_cast<FuncExpr*>(request->node)->args;
    auto* indexed = static_cast<Expr*>(list_nth(arguments, request->indexarg));
    auto* center = static_cast<Node*>(list_nth(arguments, 1 - request->indexarg));
    auto* radius = static_cast<Node*>(lthird(arguments));
    if (!is_pseudo_constant_for_index(request->root, center, request->index) ||
        !is_pseudo_constant_for_index(request->root, radius, request->index)) {
        return NIL;
    }
    const SphereCondition condition =
        sphere_condition(request->funcid, operator_name, center, radius);
    if (!OidIsValid(condition.operator_id) ||
        get_op_opfamily_strategy(condition.operator_id, request->opfamily) != kSphereStrategy) {
        return NIL;
    }
    request->lossy = false;
    return list_make1(make_opclause(condition.operator_id, BOOLOID, false, indexed,
                                    condition.sphere, InvalidOid, InvalidOid));
}

// The operator's function for a value of the statistics: a column may hold descriptors of other
// dimensions or kinds, which the query never meets.
Datum is_comparable_and_in_sphere(FunctionCallInfo fcinfo) {
    Sphere sphere;
    if (!read_sphere(PG_GETARG_DATUM(1), &sphere) ||
        !are_comparable(descriptor_argument(fcinfo, 0)->view(), sphere.center->view())) {
        PG_RETURN_BOOL(false);
    }
    return FunctionCall2Coll(static_cast<FmgrInfo*>(fcinfo->flinfo->fn_extra), InvalidOid,
                             PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

double known_sphere_selectivity(VariableStatData* column, Oid operator_id, Datum sphere) {
    FmgrInfo in_sphere;
    fmgr_info(get_opcode(operator_id), &in_sphere);
    FmgrInfo checked = in_sphere;
    checked.fn_addr = is_comparable_and_in_sphere;
    checked.fn_extra = &in_sphere;
    double common;
    const double in_common = mcv_selectivity(column, &checked, InvalidOid, sphere, true, &common);
    int histogram_size;
    double in_histogram = histogram_selectivity(column, &checked, InvalidOid, sphere, true,
                                                kLeastHistogram, 1, &histogram_size);
    const double belief =
        in_histogram < 0 ? 0 : std::min(1.0, double{1} * histogram_size / kFullHistogram);
    in_histogram = belief * in_histogram + (1 - belief) * kDefaultSelectivity;
    double nulls = 0;
    if (HeapTupleIsValid(column->statsTuple)) {
        nulls = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(column->statsTuple))->stanullfrac;
    }
    const double rest = std::max(0.0, 1 - nulls - common);
    return std::clamp(in_common + rest * in_histogram, kLeastSelectivity, 1.0);
}

double sphere_selectivity(PlannerInfo* root, Oid operator_id, List* arguments, int relation) {
    VariableStatData column;
    Node* other;
    bool column_is_left;
    if (!get_restriction_variable(root, arguments, relation, &column, &other, &column_is_left)) {
        return kDefaultSelectivity;
    }
    double selectivity = kDefaultSelectivity;
    if (IsA(other, Const) && column_is_left) {
        auto* sphere = reinterpret_cast<Const*>(other);
        selectivity = sphere->constisnull
                          ? 0
                          : known_sphere_selectivity(&column, operator_id, sphere->constvalue);
    }
    ReleaseVariableStats(column);
    return selectivity;
}

// Of within(a, b, radius), where a or b is a column.
double function_selectivity(SupportRequestSelectivity* request, const char* operator_name) {
    if (request->is_join) return kDefaultSelectivity;
    auto* a = static_cast<Node*>(linitial(request->args));
    auto* b = static_cast<Node*>(lsecond(request->args));
    const bool b_is_column = IsA(estimate_expression_value(request->root, a), Const);
    const SphereCondition condition = sphere_condition(request->funcid, operator_name,
                                                       b_is_column ? a : b, lthird(request->args));
    if (!OidIsValid(condition.operator_id)) return kDefaultSelectivity;
    return sphere_selectivity(request->root, condition.operator_id,
                              list_make2(b_is_column ? b : a, condition.sphere), request->varRelid);
}

Datum support(FunctionCallInfo fcinfo, const char* operator_name) {
    auto* request = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    if (IsA(request, SupportRequestIndexCondition)) {
        PG_RETURN_POINTER(index_condition(reinterpret_cast<SupportRequestIndexCondition*>(request),
                                          operator_name));
    }
    if (IsA(request, SupportRequestSelectivity)) {
        auto* selectivity = reinterpret_cast<SupportRequestSelectivity*>(request);
        selectivity->selectivity = function_selectivity(selectivity, operator_name);
        PG_RETURN_POINTER(request);
    }
    PG_RETURN_POINTER(nullptr);
}

// The centre, where the sphere is not known as a whole before the query runs.
Node* center_of(const RestrictInfo* condition) {
    const List* sides = reinterpret_cast<const OpExpr*>(condition->clause)->args;
    auto* sphere = static_cast<Node*>(lsecond(sides));
    return is_funcclause(sphere)
               ? static_cast<Node*>(linitial(reinterpret_cast<FuncExpr*>(sphere)->args))
               : nullptr;
}

}  // namespace

List* sphere_conditions(const IndexPath* path) {
    List* found = NIL;
    const ListCell* clause_cell;
    foreach (clause_cell, path->indexclauses) {
        const IndexClause* clause = lfirst_node(IndexClause, clause_cell);
        if (clause->indexcol != 0) continue;
        const ListCell* cell;
        foreach (cell, clause->indexquals) {
            RestrictInfo* condition = lfirst_node(RestrictInfo, cell);
            if (is_opclause(condition->clause) &&
                get_op_opfamily_strategy(reinterpret_cast<OpExpr*>(condition->clause)->opno,
                                         path->indexinfo->opfamily[0]) == kSphereStrategy) {
                found = lappend(found, condition);
            }
        }
    }
    return found;
}

bool ends_at_sphere(const IndexPath* path, const List* spheres) {
    if (spheres == NIL) return false;
    if (path->indexorderbys == NIL) return true;
    const List* order = linitial_node(OpExpr, path->indexorderbys)->args;
    const ListCell* cell;
    foreach (cell, spheres) {
        const Node* center = center_of(lfirst_node(RestrictInfo, cell));
        if (center != nullptr && equal(center, lsecond(order))) return true;
    }
    return false;
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(within_support) {
    return support(fcinfo, "<@->");
}

SQL_FUNCTION(within_ip_support) {
    return support(fcinfo, "<@#>");
}

SQL_FUNCTION(within_cosine_support) {
    return support(fcinfo, "<@=>");
}

SQL_FUNCTION(within_hamming_support) {
    return support(fcinfo, "<@~>");
}

SQL_FUNCTION(within_jaccard_support) {
    return support(fcinfo, "<@%>");
}

SQL_FUNCTION(in_sphere_selectivity) {
    PG_RETURN_FLOAT8(
        sphere_selectivity(reinterpret_cast<PlannerInfo*>(PG_GETARG_POINTER(0)), PG_GETARG_OID(1),
                           reinterpret_cast<List*>(PG_GETARG_POINTER(2)), PG_GETARG_INT32(3)));
}

SQL_FUNCTION(in_sphere_join_selectivity) {
    PG_RETURN_FLOAT8(kDefaultSelectivity);
}

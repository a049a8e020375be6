// What the planner learns about within(): the index condition that it amounts to, by way of that
// the share of the rows that it lets through (sphere_selectivity.cpp), and what it costs.
#include "am/planner/sphere_planning.h"

extern "C" {
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/syscache.h"
}

#include "am/access_method.h"
#include "am/planner/function_cost.h"
#include "am/planner/sphere_selectivity.h"

namespace lookalike {
namespace {

constexpr char kMakeLocalSphere[] = "local_features_sphere";

// What a condition that an index serves is made of.
struct ConditionParts {
    const char* make_sphere;      // null: the function is no within()
    const char* sphere_operator;  // between a value and a sphere
};

ConditionParts parts_of_symbol(const char* symbol) {
    if (strcmp(symbol, "local_features_within") == 0) return {kMakeLocalSphere, "<@->"};
    for (const MetricTraits& metric : kMetricTraits) {
        if (strcmp(symbol, metric.within) == 0)
            return {"descriptor_sphere", metric.sphere_operator};
    }
    return {nullptr, nullptr};
}

// Of one of the functions within...(): its C code tells, whatever SQL calls it. Only a superuser
// can give a function this support.
ConditionParts parts_of_function(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    bool is_null;
    const Datum source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);
    const ConditionParts parts =
        is_null ? ConditionParts{} : parts_of_symbol(TextDatumGetCString(source));
    ReleaseSysCache(tuple);
    return parts;
}

// Their functions cost what SQL says.
bool is_of_local_features(Oid function) {
    const char* make_sphere = parts_of_function(function).make_sphere;
    return make_sphere != nullptr && strcmp(make_sphere, kMakeLocalSphere) == 0;
}

// "value <operator> sphere" instead of within(value, center, radius).
struct SphereCondition {
    Oid operator_id;  // invalid: the function is no within(), or the extension lacks it
    Expr* sphere;
};

// The parts are looked up beside the function, wherever the extension lives and whoever asks.
SphereCondition sphere_condition(Oid function, void* center, void* radius) {
    const ConditionParts parts = parts_of_function(function);
    if (parts.make_sphere == nullptr) return {InvalidOid, nullptr};
    const Oid schema = get_func_namespace(function);
    Oid* types;
    int count;
    get_func_signature(function, &types, &count);
    const Oid value = types[0];
    const Oid sphere_arguments[] = {value, FLOAT8OID};
    const Oid make_sphere = GetSysCacheOid3(
        PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(parts.make_sphere),
        PointerGetDatum(buildoidvector(sphere_arguments, 2)), ObjectIdGetDatum(schema));
    if (!OidIsValid(make_sphere)) return {InvalidOid, nullptr};
    const Oid sphere = get_func_rettype(make_sphere);
    const Oid operator_id = GetSysCacheOid4(
        OPERNAMENSP, Anum_pg_operator_oid, CStringGetDatum(parts.sphere_operator),
        ObjectIdGetDatum(value), ObjectIdGetDatum(sphere), ObjectIdGetDatum(schema));
    return {operator_id,
            reinterpret_cast<Expr*>(makeFuncExpr(make_sphere, sphere, list_make2(center, radius),
                                                 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL))};
}

// The distances are symmetric, so either of the first two arguments may be the indexed column.
List* index_condition(SupportRequestIndexCondition* request) {
    if (!is_funcclause(request->node) || request->indexarg > 1) return NIL;
    const List* arguments = reinterpret_cast<FuncExpr*>(request->node)->args;
    auto* indexed = static_cast<Expr*>(list_nth(arguments, request->indexarg));
    auto* center = static_cast<Node*>(list_nth(arguments, 1 - request->indexarg));
    auto* radius = static_cast<Node*>(lthird(arguments));
    if (!is_pseudo_constant_for_index(request->root, center, request->index) ||
        !is_pseudo_constant_for_index(request->root, radius, request->index)) {
        return NIL;
    }
    const SphereCondition condition = sphere_condition(request->funcid, center, radius);
    if (!OidIsValid(condition.operator_id) ||
        get_op_opfamily_strategy(condition.operator_id, request->opfamily) != kSphereStrategy) {
        return NIL;
    }
    request->lossy = false;
    return list_make1(make_opclause(condition.operator_id, BOOLOID, false, indexed,
                                    condition.sphere, InvalidOid, InvalidOid));
}

// Of within(a, b, radius), where a or b is a column.
double function_selectivity(SupportRequestSelectivity* request) {
    // Statistics tell nothing of local features: hardly any two are equal.
    if (is_of_local_features(request->funcid)) return kDefaultSelectivity;
    for (const int column : {0, 1}) {
        const SphereCondition condition = sphere_condition(
            request->funcid, list_nth(request->args, 1 - column), lthird(request->args));
        if (!OidIsValid(condition.operator_id)) break;
        List* sides = list_make2(list_nth(request->args, column), condition.sphere);
        double selectivity;
        if (request->is_join
                ? sphere_join_selectivity(request->root, condition.operator_id, sides, &selectivity)
                : sphere_selectivity(request->root, condition.operator_id, sides, request->varRelid,
                                     &selectivity)) {
            return selectivity;
        }
    }
    return kDefaultSelectivity;
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
    auto* request = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    if (IsA(request, SupportRequestIndexCondition)) {
        PG_RETURN_POINTER(
            index_condition(reinterpret_cast<SupportRequestIndexCondition*>(request)));
    }
    if (IsA(request, SupportRequestSelectivity)) {
        auto* selectivity = reinterpret_cast<SupportRequestSelectivity*>(request);
        selectivity->selectivity = function_selectivity(selectivity);
        PG_RETURN_POINTER(request);
    }
    if (IsA(request, SupportRequestCost)) {
        auto* cost = reinterpret_cast<SupportRequestCost*>(request);
        if (is_of_local_features(cost->funcid)) PG_RETURN_POINTER(nullptr);
        const List* arguments = arguments_of(cost->node);
        if (arguments == NIL) PG_RETURN_POINTER(nullptr);
        cost->startup = 0;
        cost->per_tuple = function_cost(cost->root, cost->funcid, cost->node, arguments);
        PG_RETURN_POINTER(request);
    }
    PG_RETURN_POINTER(nullptr);
}

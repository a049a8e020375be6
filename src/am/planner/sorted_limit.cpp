#include "am/planner/sorted_limit.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "utils/fmgroids.h"
}

#include "am/access_method.h"

namespace lookalike {
namespace {

create_upper_paths_hook_type previous_hook;

constexpr int64 kAllRows = PG_INT64_MAX / 2;

bool is_faiss(const IndexOptInfo* index) {
    return reinterpret_cast<void*>(index->amcostestimate) == reinterpret_cast<void*>(estimate_cost);
}

// Whether the order of a path's rows is that of a faiss scan, and so not strict. Below a path that
// makes an order of its own, or has lost any, there is none to look for.
bool is_order_of_scan(const Path* path) {
    switch (nodeTag(path)) {
        case T_IndexPath: {
            const auto* scan = reinterpret_cast<const IndexPath*>(path);
            return scan->indexorderbys != NIL && is_faiss(scan->indexinfo);
        }
        case T_NestPath:
        case T_MergePath:
            return is_order_of_scan(reinterpret_cast<const JoinPath*>(path)->outerjoinpath);
        case T_ProjectionPath:
            return is_order_of_scan(reinterpret_cast<const ProjectionPath*>(path)->subpath);
        case T_MaterialPath:
            return is_order_of_scan(reinterpret_cast<const MaterialPath*>(path)->subpath);
        case T_GatherMergePath:
            return is_order_of_scan(reinterpret_cast<const GatherMergePath*>(path)->subpath);
        case T_IncrementalSortPath:
            return is_order_of_scan(reinterpret_cast<const SortPath*>(path)->subpath);
        case T_AppendPath:
        case T_MergeAppendPath: {
            // Both begin alike for what is read here.
            const List* parts = IsA(path, AppendPath)
                                    ? reinterpret_cast<const AppendPath*>(path)->subpaths
                                    : reinterpret_cast<const MergeAppendPath*>(path)->subpaths;
            const ListCell* cell;
            foreach (cell, parts) {
                if (is_order_of_scan(static_cast<const Path*>(lfirst(cell)))) return true;
            }
            return false;
        }
        default:
            return false;
    }
}

// LEAST(value, kAllRows), where NULL, which is no limit, counts as `for_null`.
Node* bounded(Node* value, int64 for_null) {
    if (value == nullptr) {
        return reinterpret_cast<Node*>(makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                                                 Int64GetDatum(for_null), false, FLOAT8PASSBYVAL));
    }
    auto* known = makeNode(CoalesceExpr);
    known->coalescetype = INT8OID;
    known->args = list_make2(value, bounded(nullptr, for_null));
    known->location = -1;
    auto* least = makeNode(MinMaxExpr);
    least->minmaxtype = INT8OID;
    least->op = IS_LEAST;
    least->args = list_make2(known, bounded(nullptr, kAllRows));
    least->location = -1;
    return reinterpret_cast<Node*>(least);
}

// LIMIT and OFFSET together.
Node* rows_needed(PlannerInfo* root) {
    const Query* query = root->parse;
    auto* count = static_cast<Node*>(copyObjectImpl(query->limitCount));
    auto* offset = static_cast<Node*>(copyObjectImpl(query->limitOffset));
    auto* sum =
        makeFuncExpr(F_INT8PL, INT8OID, list_make2(bounded(count, kAllRows), bounded(offset, 0)),
                     InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
    return eval_const_expressions(root, reinterpret_cast<Node*>(sum));
}

// Whether the distance is joined by as well: then its order could serve a merge join, below the
// sort that mends it.
bool is_join_key(const PlannerInfo* root) {
    if (root->query_pathkeys == NIL) return false;
    const EquivalenceClass* equals = linitial_node(PathKey, root->query_pathkeys)->pk_eclass;
    while (equals->ec_merged != nullptr)
        equals = equals->ec_merged;
    int members = 0;
    const ListCell* cell;
    foreach (cell, equals->ec_members) {
        if (!lfirst_node(EquivalenceMember, cell)->em_is_child) ++members;
    }
    return members > 1;
}

// Whether the answer needs no more rows than LIMIT and OFFSET say: none goes or comes between.
bool is_counted(const Query* query) {
    const Node* count = query->limitCount;
    if (count == nullptr || query->limitOption != LIMIT_OPTION_COUNT) return false;
    if (IsA(count, Const) && reinterpret_cast<const Const*>(count)->constisnull) return false;
    return query->rowMarks == NIL && !query->hasTargetSRFs &&
           !contain_volatile_functions(query->limitCount) &&
           !contain_volatile_functions(query->limitOffset);
}

// Above a path whose rows come as a scan finds them.
Path* sorted(PlannerInfo* root, RelOptInfo* relation, Path* path) {
    // Rows that are sorted in parts are no better sorted by the first keys than by all of them.
    if (IsA(path, IncrementalSortPath)) {
        path = reinterpret_cast<SortPath*>(path)->subpath;
    } else if (is_counted(root->parse)) {
        Node* needed = rows_needed(root);
        int64 known = -1;
        if (IsA(needed, Const)) known = DatumGetInt64(reinterpret_cast<Const*>(needed)->constvalue);
        if (known == 0 || known == 1) return path;
        path = reinterpret_cast<Path*>(
            create_limit_path(root, relation, path, nullptr, needed, LIMIT_OPTION_COUNT, 0, known));
    }
    return reinterpret_cast<Path*>(
        create_sort_path(root, relation, path, root->sort_pathkeys, root->limit_tuples));
}

void sort_paths(PlannerInfo* root, UpperRelationKind stage, RelOptInfo* input, RelOptInfo* output,
                void* extra) {
    if (previous_hook != nullptr) previous_hook(root, stage, input, output, extra);
    if (stage != UPPERREL_ORDERED) return;
    ListCell* cell;
    foreach (cell, output->pathlist) {
        auto* path = static_cast<Path*>(lfirst(cell));
        if (is_order_of_scan(path)) lfirst(cell) = sorted(root, output, path);
    }
}

}  // namespace

bool may_claim_order(const PlannerInfo* root) {
    const Query* query = root->parse;
    return query->sortClause != NIL && !is_join_key(root) && !query->hasAggs &&
           !query->hasWindowFuncs && query->groupClause == NIL && query->groupingSets == NIL &&
           query->distinctClause == NIL && query->setOperations == nullptr;
}

void sort_what_scans_find() {
    previous_hook = create_upper_paths_hook;
    create_upper_paths_hook = sort_paths;
}

}  // namespace lookalike

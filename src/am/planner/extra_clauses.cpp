#include "am/planner/extra_clauses.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_operator_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
}

#include "am/planner/sphere_planning.h"

namespace lookalike {
namespace {

bool is_used(const List* clauses, const RestrictInfo* info) {
    const ListCell* cell;
    foreach (cell, clauses) {
        if (lfirst_node(IndexClause, cell)->rinfo == info) return true;
    }
    return false;
}

IndexClause* make_clause(RestrictInfo* info, RestrictInfo* condition, int column) {
    IndexClause* clause = makeNode(IndexClause);
    clause->rinfo = info;
    clause->indexquals = list_make1(condition);
    clause->lossy = false;
    clause->indexcol = static_cast<AttrNumber>(column);
    clause->indexcols = NIL;
    return clause;
}

// "column = ANY (array)" with an array that does not change during the scan.
bool is_array_condition(const IndexOptInfo* index, const RestrictInfo* info, int column) {
    if (!IsA(info->clause, ScalarArrayOpExpr)) return false;
    auto* expression = reinterpret_cast<ScalarArrayOpExpr*>(info->clause);
    if (!expression->useOr) return false;
    auto* left = static_cast<Node*>(linitial(expression->args));
    auto* right = static_cast<Node*>(lsecond(expression->args));
    const Oid collation = index->indexcollations[column];
    return match_index_to_operand(left, column, const_cast<IndexOptInfo*>(index)) &&
           !bms_is_member(static_cast<int>(index->rel->relid), info->right_relids) &&
           !contain_volatile_functions(right) &&
           (!OidIsValid(collation) || collation == expression->inputcollid) &&
           get_op_opfamily_strategy(expression->opno, index->opfamily[column]) != 0;
}

// "column", "NOT column": as "column = true", "column = false". Null when it is neither.
RestrictInfo* boolean_condition(PlannerInfo* root, const IndexOptInfo* index,
                                const RestrictInfo* info, int column) {
    if (index->opcintype[column] != BOOLOID) return nullptr;
    auto* clause = reinterpret_cast<Node*>(info->clause);
    bool wanted = true;
    Node* operand = clause;
    if (is_notclause(clause)) {
        operand = reinterpret_cast<Node*>(get_notclausearg(reinterpret_cast<Expr*>(clause)));
        wanted = false;
    } else if (IsA(clause, BooleanTest)) {
        auto* test = reinterpret_cast<BooleanTest*>(clause);
        if (test->booltesttype != IS_TRUE && test->booltesttype != IS_FALSE) return nullptr;
        operand = reinterpret_cast<Node*>(test->arg);
        wanted = test->booltesttype == IS_TRUE;
    }
    if (!match_index_to_operand(operand, column, const_cast<IndexOptInfo*>(index))) return nullptr;
    Expr* equal = make_opclause(
        BooleanEqualOperator, BOOLOID, false, reinterpret_cast<Expr*>(operand),
        reinterpret_cast<Expr*>(makeBoolConst(wanted, false)), InvalidOid, InvalidOid);
    return make_simple_restrictinfo(root, equal);
}

}  // namespace

void add_extra_clauses(PlannerInfo* root, IndexPath* path) {
    const IndexOptInfo* index = path->indexinfo;
    if (path->indexorderbys == NIL && sphere_conditions(path) == NIL) return;
    List* clauses = path->indexclauses;
    const ListCell* cell;
    foreach (cell, index->indrestrictinfo) {
        RestrictInfo* info = lfirst_node(RestrictInfo, cell);
        if (info->pseudoconstant || is_used(path->indexclauses, info)) continue;
        for (int column = 1; column < index->nkeycolumns; ++column) {
            RestrictInfo* condition = is_array_condition(index, info, column)
                                          ? info
                                          : boolean_condition(root, index, info, column);
            if (condition == nullptr) continue;
            if (clauses == path->indexclauses) clauses = list_copy(clauses);
            clauses = lappend(clauses, make_clause(info, condition, column));
            break;
        }
    }
    path->indexclauses = clauses;
}

}  // namespace lookalike

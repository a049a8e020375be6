// What the planner is told a distance costs: it grows with the descriptor, and one that lies in
// TOAST must be fetched first, which is dearer than to compare it.
#include "pg/type/descriptor.h"

extern "C" {
#include "access/detoast.h"
#include "access/heaptoast.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

#include <algorithm>

namespace lookalike {
namespace {

constexpr double kBytesAnOperator = 64;
// As PostgreSQL charges for the way down an index.
constexpr double kDescentOperators = 100;
constexpr double kToastPointerBytes = 18;

// The column that an argument is, or null.
const Var* column_of(PlannerInfo* root, const Node* argument) {
    while (IsA(argument, RelabelType))
        argument =
            reinterpret_cast<const Node*>(reinterpret_cast<const RelabelType*>(argument)->arg);
    if (root == nullptr || !IsA(argument, Var)) return nullptr;
    const auto* var = reinterpret_cast<const Var*>(argument);
    if (var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0) return nullptr;
    return planner_rt_fetch(var->varno, root)->rtekind == RTE_RELATION ? var : nullptr;
}

// Bytes of a descriptor; 0: not known. Both arguments have as many.
double descriptor_bytes(const Node* argument) {
    if (IsA(argument, Const)) {
        const auto* value = reinterpret_cast<const Const*>(argument);
        return value->constisnull ? 0
                                  : static_cast<double>(toast_raw_datum_size(value->constvalue));
    }
    const TypeModifier modifier = decode_typmod(exprTypmod(argument));
    return modifier.any ? 0
                        : static_cast<double>(kDescriptorHeaderBytes +
                                              element_bytes(modifier.kind, modifier.dims));
}

// The share of a column's values that lie in TOAST. Statistics count 18 bytes for each of them.
double toasted_share(double width, double bytes) {
    if (bytes <= kToastPointerBytes) return 0;
    if (width == 0) return bytes > TOAST_TUPLE_THRESHOLD ? 1 : 0;
    return std::clamp((bytes - width) / (bytes - kToastPointerBytes), 0.0, 1.0);
}

// As if from the cache: the page of TOAST's index and those of the value, one after the other.
double detoast_cost(double bytes) {
    const double chunks = std::max(1.0, bytes / static_cast<double>(TOAST_MAX_CHUNK_SIZE));
    return seq_page_cost * (1 + bytes / BLCKSZ) + kDescentOperators * cpu_operator_cost +
           chunks * (cpu_tuple_cost + cpu_index_tuple_cost);
}

double distance_cost(PlannerInfo* root, const List* arguments) {
    double bytes = 0;
    ListCell* cell;
    foreach (cell, arguments)
        bytes = std::max(bytes, descriptor_bytes(static_cast<const Node*>(lfirst(cell))));
    double cost = 0;
    foreach (cell, arguments) {
        const Var* column = column_of(root, static_cast<const Node*>(lfirst(cell)));
        if (column == nullptr) continue;
        const Oid table = planner_rt_fetch(column->varno, root)->relid;
        const double width = get_attavgwidth(table, column->varattno);
        // Nothing says how many dimensions it has: so many that it went to TOAST, if it did.
        if (bytes == 0) bytes = std::max<double>(width, TOAST_TUPLE_THRESHOLD);
        cost += toasted_share(width, bytes) * detoast_cost(bytes);
    }
    return cost + (1 + bytes / kBytesAnOperator) * cpu_operator_cost;
}

const List* arguments_of(const Node* call) {
    if (call == nullptr) return NIL;
    if (IsA(call, OpExpr)) return reinterpret_cast<const OpExpr*>(call)->args;
    if (IsA(call, FuncExpr)) return reinterpret_cast<const FuncExpr*>(call)->args;
    return NIL;
}

}  // namespace
}  // namespace lookalike

SQL_FUNCTION(descriptor_cost_support) {
    auto* node = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    if (!IsA(node, SupportRequestCost)) PG_RETURN_POINTER(nullptr);
    auto* request = reinterpret_cast<SupportRequestCost*>(node);
    const List* arguments = lookalike::arguments_of(request->node);
    if (arguments == NIL) PG_RETURN_POINTER(nullptr);
    request->startup = 0;
    request->per_tuple = lookalike::distance_cost(request->root, arguments);
    PG_RETURN_POINTER(request);
}

// What the planner is told a function of descriptors costs: it grows with the descriptor, and one
// that lies in TOAST must be fetched first, which is dearer than to compare it.
#include "am/planner/function_cost.h"

extern "C" {
#include "access/detoast.h"
#include "access/heaptoast.h"
#include "catalog/pg_proc.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/syscache.h"
}

#include <algorithm>

#include "pg/type/descriptor.h"

namespace lookalike {
namespace {

constexpr double kBytesAnOperator = 64;
// As PostgreSQL charges for the way down an index.
constexpr double kDescentOperators = 100;
constexpr double kToastPointerBytes = 18;
// Nothing moves out of a row that saves no space there.
constexpr double kLeastToastedBytes = MAXALIGN(18);

// What the call of a function is looked at with. Its parts are looked up beside the function,
// wherever the extension lives.
struct CallContext {
    PlannerInfo* root;
    Oid descriptor;    // the type
    Oid cost_support;  // functions with this support are charged for what they fetch themselves
    List* columns;     // found so far
};

CallContext context_of(PlannerInfo* root, Oid function) {
    const Oid schema = get_func_namespace(function);
    const Oid arguments[] = {INTERNALOID};
    return {root,
            GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("descriptor"),
                            ObjectIdGetDatum(schema)),
            GetSysCacheOid3(
                PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("descriptor_cost_support"),
                PointerGetDatum(buildoidvector(arguments, 1)), ObjectIdGetDatum(schema)),
            NIL};
}

Oid function_of(const Node* node) {
    if (IsA(node, FuncExpr)) return reinterpret_cast<const FuncExpr*>(node)->funcid;
    if (IsA(node, OpExpr)) return get_opcode(reinterpret_cast<const OpExpr*>(node)->opno);
    return InvalidOid;
}

bool charges_for_itself(const CallContext& context, const Node* node) {
    const Oid function = function_of(node);
    return OidIsValid(function) && OidIsValid(context.cost_support) &&
           get_func_support(function) == context.cost_support;
}

// A column of a table, of a type whose values may lie in TOAST.
bool may_be_toasted(const CallContext& context, const Node* node) {
    if (context.root == nullptr || !IsA(node, Var)) return false;
    const auto* var = reinterpret_cast<const Var*>(node);
    if (var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0) return false;
    return planner_rt_fetch(var->varno, context.root)->rtekind == RTE_RELATION &&
           get_typlen(var->vartype) == -1;
}

// By statistics; 0: there are none.
double width_of(const CallContext& context, const Var* column) {
    return get_attavgwidth(planner_rt_fetch(column->varno, context.root)->relid, column->varattno);
}

// Of a value of a column, where only its width is known. Of what lies in TOAST nothing is: it has
// so many bytes that it went there.
double bytes_by_width(double width) {
    return width == 0 || width == kToastPointerBytes ? TOAST_TUPLE_THRESHOLD : width;
}

// Columns whose values the call fetches: not those that the calls among its arguments do.
bool collect_columns(Node* node, void* pointer) {
    if (node == nullptr) return false;
    auto* context = static_cast<CallContext*>(pointer);
    if (IsA(node, Var)) {
        if (may_be_toasted(*context, node))
            context->columns = list_append_unique(context->columns, node);
        return false;
    }
    return !charges_for_itself(*context, node) && walk_expression(node, collect_columns, pointer);
}

bool is_integer_constant(const Node* node) {
    return IsA(node, Const) && reinterpret_cast<const Const*>(node)->consttype == INT4OID &&
           !reinterpret_cast<const Const*>(node)->constisnull;
}

double descriptor_bytes(const CallContext& context, const Node* node);

double greatest_bytes(const CallContext& context, const List* arguments) {
    double bytes = 0;
    const ListCell* cell;
    foreach (cell, arguments)
        bytes = std::max(bytes, descriptor_bytes(context, static_cast<const Node*>(lfirst(cell))));
    return bytes;
}

// subvector() alone takes two integers.
bool is_subvector(const List* arguments) {
    return list_length(arguments) == 3 &&
           exprType(static_cast<Node*>(lsecond(arguments))) == INT4OID &&
           exprType(static_cast<Node*>(lthird(arguments))) == INT4OID;
}

// So many dimensions, of which nothing is known but that they are no more than the whole has.
double bytes_of_part(double bytes_of_whole, const List* arguments) {
    const auto* count = static_cast<const Node*>(lthird(arguments));
    if (!is_integer_constant(count)) return bytes_of_whole;
    const double dims = DatumGetInt32(reinterpret_cast<const Const*>(count)->constvalue);
    const double bytes = kDescriptorHeaderBytes + sizeof(float) * std::max(dims, 1.0);
    return bytes_of_whole == 0 ? bytes : std::min(bytes, bytes_of_whole);
}

// Of a descriptor that an expression gives; 0: not known, or it gives something else.
double descriptor_bytes(const CallContext& context, const Node* node) {
    if (exprType(node) != context.descriptor) return 0;
    if (IsA(node, Const)) {
        const auto* value = reinterpret_cast<const Const*>(node);
        return value->constisnull ? 0
                                  : static_cast<double>(toast_raw_datum_size(value->constvalue));
    }
    const TypeModifier modifier = decode_typmod(exprTypmod(node));
    if (!modifier.any_dims) {
        return static_cast<double>(kDescriptorHeaderBytes +
                                   element_bytes(modifier.kind, modifier.dims));
    }
    if (IsA(node, RelabelType)) {
        return descriptor_bytes(context, reinterpret_cast<const Node*>(
                                             reinterpret_cast<const RelabelType*>(node)->arg));
    }
    if (may_be_toasted(context, node))
        return bytes_by_width(width_of(context, reinterpret_cast<const Var*>(node)));
    if (!charges_for_itself(context, node)) return 0;
    const List* arguments = arguments_of(node);
    const double bytes = greatest_bytes(context, arguments);
    return is_subvector(arguments) ? bytes_of_part(bytes, arguments) : bytes;
}

// Of a value that has not moved out of its row: a short one has a header of one byte.
double bytes_in_row(double bytes) {
    const double shorter = bytes - (VARHDRSZ - VARHDRSZ_SHORT);
    return shorter <= VARATT_SHORT_MAX ? shorter : bytes;
}

// The share of a column's values that lie in TOAST, if what is missing in its width does.
// Statistics count 18 bytes for each of them.
double toasted_share(double width, double bytes) {
    const double in_row = bytes_in_row(bytes);
    if (in_row <= kLeastToastedBytes) return 0;
    if (width == 0) return bytes > TOAST_TUPLE_THRESHOLD ? 1 : 0;
    return std::clamp((in_row - width) / (in_row - kToastPointerBytes), 0.0, 1.0);
}

// As if from the cache: the page of TOAST's index and those of the value, one after the other.
double detoast_cost(double bytes) {
    const double chunks = std::max(1.0, bytes / static_cast<double>(TOAST_MAX_CHUNK_SIZE));
    return seq_page_cost * (1 + bytes / BLCKSZ) + kDescentOperators * cpu_operator_cost +
           chunks * (cpu_tuple_cost + cpu_index_tuple_cost);
}

// Values of a column with this storage are compressed rather than moved out of the row.
bool is_compressed(const CallContext& context, const Var* column, double width) {
    if (width <= kToastPointerBytes) return false;
    const Oid table = planner_rt_fetch(column->varno, context.root)->relid;
    HeapTuple tuple =
        SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(column->varattno));
    if (!HeapTupleIsValid(tuple)) return false;
    const char storage = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attstorage;
    ReleaseSysCache(tuple);
    return storage == TYPSTORAGE_EXTENDED || storage == TYPSTORAGE_MAIN;
}

// `bytes`: of the other values of the call; 0: not known.
double fetching_cost(const CallContext& context, const Var* column, double bytes) {
    const double width = width_of(context, column);
    const double own_bytes = descriptor_bytes(context, reinterpret_cast<const Node*>(column));
    if (own_bytes > 0) bytes = own_bytes;
    if (bytes == 0) bytes = bytes_by_width(width);
    const double share = toasted_share(width, bytes);
    if (share > 0 && is_compressed(context, column, width))
        return bytes / kBytesAnOperator * cpu_operator_cost;
    return share * detoast_cost(bytes);
}

// What its declaration says.
double cost_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    const double cost = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->procost;
    ReleaseSysCache(tuple);
    return cost;
}

}  // namespace

const List* arguments_of(const Node* call) {
    if (call == nullptr) return NIL;
    if (IsA(call, OpExpr)) return reinterpret_cast<const OpExpr*>(call)->args;
    if (IsA(call, FuncExpr)) return reinterpret_cast<const FuncExpr*>(call)->args;
    return NIL;
}

double function_cost(PlannerInfo* root, Oid function, const Node* call, const List* arguments) {
    CallContext context = context_of(root, function);
    const bool is_part = is_subvector(arguments);
    double bytes = descriptor_bytes(context, call);
    if (!is_part) bytes = std::max(bytes, greatest_bytes(context, arguments));
    double cost = 0;
    const ListCell* cell;
    foreach (cell, arguments)
        collect_columns(static_cast<Node*>(lfirst(cell)), &context);
    foreach (cell, context.columns)
        cost += fetching_cost(context, lfirst_node(Var, cell), is_part ? 0 : bytes);
    return cost + cost_of(function) * (1 + bytes / kBytesAnOperator) * cpu_operator_cost;
}

}  // namespace lookalike

SQL_FUNCTION(descriptor_cost_support) {
    auto* node = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    if (!IsA(node, SupportRequestCost)) PG_RETURN_POINTER(nullptr);
    auto* request = reinterpret_cast<SupportRequestCost*>(node);
    const List* arguments = lookalike::arguments_of(request->node);
    if (arguments == NIL) PG_RETURN_POINTER(nullptr);
    request->startup = 0;
    request->per_tuple =
        lookalike::function_cost(request->root, request->funcid, request->node, arguments);
    PG_RETURN_POINTER(request);
}

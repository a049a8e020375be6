#include "am/planner/sphere_selectivity.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/selfuncs.h"
}

#include <algorithm>

#include "am/access_method.h"
#include "am/storage/loaded_index.h"
#include "core/measure/neighbour_distances.h"
#include "pg/type/sphere.h"

namespace lookalike {
namespace {

// Of a sphere that statistics know to be almost empty, and no index.
constexpr double kLeastSelectivity = 0.0001;
// A histogram with fewer values is believed in part, and with very few not at all.
constexpr int kFullHistogram = 100;
constexpr int kLeastHistogram = 10;
// Fewer of its values in a sphere say less than what an index has measured.
constexpr double kTellingValues = 2;

// The operator's function for a value of the statistics: a column may hold descriptors of other
// dimensions or kinds, which the query never meets.
Datum is_comparable_and_in_sphere(FunctionCallInfo fcinfo) {
    Sphere sphere;
    if (!read_sphere(PG_GETARG_DATUM(1), &sphere) ||
        !are_comparable(descriptor_argument(fcinfo, 0)->view(),
                        checked_descriptor(sphere.center)->view())) {
        PG_RETURN_BOOL(false);
    }
    return FunctionCall2Coll(static_cast<FmgrInfo*>(fcinfo->flinfo->fn_extra), InvalidOid,
                             PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

double null_fraction(const VariableStatData* column) {
    if (!HeapTupleIsValid(column->statsTuple)) return 0;
    return reinterpret_cast<Form_pg_statistic>(GETSTRUCT(column->statsTuple))->stanullfrac;
}

// `measured` is what measured_share() says.
double known_sphere_selectivity(VariableStatData* column, Oid operator_id, Datum sphere,
                                double measured) {
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
    in_histogram =
        belief * in_histogram + (1 - belief) * (measured > 0 ? measured : kDefaultSelectivity);
    // A single value may be the centre itself: what it was measured for is the better guess.
    if (measured > 0 && in_histogram * histogram_size < kTellingValues) {
        in_histogram = std::min(measured, kTellingValues / std::max(histogram_size, 1));
    }
    const double rest = std::max(0.0, 1 - null_fraction(column) - common);
    const double least = measured > 0 ? 0 : kLeastSelectivity;
    return std::clamp(in_common + rest * in_histogram, least, 1.0);
}

// False: it is not known before the query runs. The type of a sphere has one constructor, so a call
// that makes one tells its radius.
bool find_radius(PlannerInfo* root, Node* sphere, double* radius) {
    sphere = estimate_expression_value(root, sphere);
    if (auto* known = reinterpret_cast<Const*>(sphere); IsA(sphere, Const)) {
        Sphere value;
        if (known->constisnull || !read_sphere(known->constvalue, &value)) return false;
        *radius = value.radius;
        return true;
    }
    if (!is_funcclause(sphere)) return false;
    const List* parts = reinterpret_cast<FuncExpr*>(sphere)->args;
    if (list_length(parts) != 2 || !IsA(lsecond(parts), Const)) return false;
    const Const* known = lsecond_node(Const, parts);
    if (known->constisnull || known->consttype != FLOAT8OID) return false;
    *radius = DatumGetFloat8(known->constvalue);
    return true;
}

// The share of the rows with a descriptor that a sphere around a typical row holds, as an index of
// the column has measured it. 0: none has, or the radius is not known.
double measured_share(PlannerInfo* root, const VariableStatData* column, Oid operator_id,
                      Node* sphere) {
    double radius;
    if (column->rel == nullptr || !find_radius(root, sphere, &radius)) return 0;
    const ListCell* cell;
    foreach (cell, column->rel->indexlist) {
        auto* info = lfirst_node(IndexOptInfo, cell);
        if (info->hypothetical || (info->indpred != NIL && !info->predOK) ||
            get_op_opfamily_strategy(operator_id, info->opfamily[0]) != kSphereStrategy ||
            !match_index_to_operand(column->var, 0, info)) {
            continue;
        }
        Relation index = index_open(info->indexoid, NoLock);
        MetaPage meta;
        const double share =
            peek_meta(index, &meta) ? share_within(calibration_of(meta), radius) : 0;
        index_close(index, NoLock);
        if (share > 0) return share;
    }
    return 0;
}

}  // namespace

bool sphere_selectivity(PlannerInfo* root, Oid operator_id, List* arguments, int relation,
                        double* selectivity) {
    VariableStatData column;
    Node* other;
    bool column_is_left;
    if (!get_restriction_variable(root, arguments, relation, &column, &other, &column_is_left)) {
        return false;
    }
    if (column_is_left) {
        const double measured = measured_share(root, &column, operator_id, other);
        auto* sphere = reinterpret_cast<Const*>(other);
        if (!IsA(other, Const)) {
            *selectivity =
                measured > 0 ? measured * (1 - null_fraction(&column)) : kDefaultSelectivity;
        } else {
            *selectivity =
                sphere->constisnull
                    ? 0
                    : known_sphere_selectivity(&column, operator_id, sphere->constvalue, measured);
        }
    }
    ReleaseVariableStats(column);
    return column_is_left;
}

bool sphere_join_selectivity(PlannerInfo* root, Oid operator_id, List* arguments,
                             double* selectivity) {
    VariableStatData column;
    examine_variable(root, static_cast<Node*>(linitial(arguments)), 0, &column);
    *selectivity =
        measured_share(root, &column, operator_id, static_cast<Node*>(lsecond(arguments)));
    *selectivity *= 1 - null_fraction(&column);
    ReleaseVariableStats(column);
    return *selectivity > 0;
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(in_sphere_selectivity) {
    double selectivity = kDefaultSelectivity;
    sphere_selectivity(reinterpret_cast<PlannerInfo*>(PG_GETARG_POINTER(0)), PG_GETARG_OID(1),
                       reinterpret_cast<List*>(PG_GETARG_POINTER(2)), PG_GETARG_INT32(3),
                       &selectivity);
    PG_RETURN_FLOAT8(selectivity);
}

SQL_FUNCTION(in_sphere_join_selectivity) {
    double selectivity;
    if (!sphere_join_selectivity(reinterpret_cast<PlannerInfo*>(PG_GETARG_POINTER(0)),
                                 PG_GETARG_OID(1), reinterpret_cast<List*>(PG_GETARG_POINTER(2)),
                                 &selectivity)) {
        selectivity = kDefaultSelectivity;
    }
    PG_RETURN_FLOAT8(selectivity);
}

#include "am/sphere_selectivity.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
}

#include <algorithm>

#include "pg/descriptor_sphere.h"

namespace lookalike {
namespace {

constexpr double kLeastSelectivity = 0.0001;
// A histogram with fewer values is believed in part, and with very few not at all.
constexpr int kFullHistogram = 100;
constexpr int kLeastHistogram = 10;

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

}  // namespace

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

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(in_sphere_selectivity) {
    PG_RETURN_FLOAT8(
        sphere_selectivity(reinterpret_cast<PlannerInfo*>(PG_GETARG_POINTER(0)), PG_GETARG_OID(1),
                           reinterpret_cast<List*>(PG_GETARG_POINTER(2)), PG_GETARG_INT32(3)));
}

SQL_FUNCTION(in_sphere_join_selectivity) {
    PG_RETURN_FLOAT8(kDefaultSelectivity);
}

// Is a descriptor within a radius of another? As functions of both and the radius, which people
// write, and as operators with a sphere, which indexes serve.
#include "pg/type/sphere.h"

extern "C" {
#include "access/htup_details.h"
#include "executor/executor.h"
#include "funcapi.h"
}

#include <cmath>

#include "core/vector/metric.h"
#include "pg/type/kept_argument.h"

namespace lookalike {

void check_radius(double radius) {
    if (!std::isnan(radius)) return;
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the radius must not be NaN")));
}

bool read_sphere(Datum datum, Sphere* sphere) {
    HeapTupleHeader tuple = DatumGetHeapTupleHeader(datum);
    bool is_null;
    const Datum center = GetAttributeByNum(tuple, 1, &is_null);
    if (is_null) return false;
    const Datum radius = GetAttributeByNum(tuple, 2, &is_null);
    if (is_null) return false;
    *sphere = {center, DatumGetFloat8(radius)};
    check_radius(sphere->radius);
    return true;
}

bool are_comparable(const DescriptorView& a, const DescriptorView& b) {
    return a.dims == b.dims && (a.kind == Kind::kBit) == (b.kind == Kind::kBit);
}

namespace {

// `distance` is a distance function of SQL. A distance that is NaN is within nothing.
bool is_within(PGFunction distance, Datum a, Datum b, double radius) {
    return DatumGetFloat8(DirectFunctionCall2(distance, a, b)) <= radius;
}

Datum within(FunctionCallInfo fcinfo, PGFunction distance) {
    const double radius = PG_GETARG_FLOAT8(2);
    check_radius(radius);
    PG_RETURN_BOOL(is_within(distance, PointerGetDatum(kept_argument(fcinfo, 0)),
                             PointerGetDatum(kept_argument(fcinfo, 1)), radius));
}

Datum in_sphere(FunctionCallInfo fcinfo, PGFunction distance) {
    Sphere sphere;
    if (!read_sphere(PG_GETARG_DATUM(1), &sphere)) PG_RETURN_NULL();
    PG_RETURN_BOOL(is_within(distance, PG_GETARG_DATUM(0), sphere.center, sphere.radius));
}

}  // namespace
}  // namespace lookalike

// The constructor of either type.
SQL_FUNCTION(make_sphere) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
        elog(ERROR, "return type must be a row type");
    }
    lookalike::check_radius(PG_GETARG_FLOAT8(1));
    Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
    bool is_null[lengthof(values)] = {};
    PG_RETURN_DATUM(
        HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, is_null)));
}

// What each metric has; the distance functions are in pg/type/distance.cpp.
#define WITHIN_FUNCTIONS(metric, name, within_name, distance, ...) \
    extern "C" Datum distance(PG_FUNCTION_ARGS);                   \
    SQL_FUNCTION(within_name) {                                    \
        return lookalike::within(fcinfo, distance);                \
    }                                                              \
    SQL_FUNCTION(in_##name##_sphere) {                             \
        return lookalike::in_sphere(fcinfo, distance);             \
    }
LOOKALIKE_METRICS(WITHIN_FUNCTIONS)

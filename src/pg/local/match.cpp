// How far two pictures' local features are apart, and where one picture lies in the other.
#include "pg/local/value.h"

#include <cmath>

#include "core/local/set_match.h"
#include "pg/run_core.h"
#include "pg/type/sphere.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/geo_decls.h"
}

namespace lookalike {
namespace {

struct Pair {
    LocalFeatures a, b;
};

Pair pair_of(FunctionCallInfo fcinfo) {
    const Pair pair{kept_local_argument(fcinfo, 0)->view(), kept_local_argument(fcinfo, 1)->view()};
    check_same_kind(pair.a, pair.b);
    return pair;
}

SetMatch match_of(const Pair& pair) {
    return run_core([&] { return match_sets(pair.a, pair.b, throw_if_cancelled); });
}

/// Where the corners of b's picture come to lie in a, clockwise from its upper left one.
Datum place_of(const SetMatch& match, const LocalFeaturesHeader& b) {
    const double corners[][2] = {{0, 0},
                                 {static_cast<double>(b.width), 0},
                                 {static_cast<double>(b.width), static_cast<double>(b.height)},
                                 {0, static_cast<double>(b.height)}};
    constexpr int kCorners = lengthof(corners);
    const Size size = offsetof(POLYGON, p) + kCorners * sizeof(Point);
    auto* polygon = static_cast<POLYGON*>(palloc0(size));
    SET_VARSIZE(polygon, size);
    polygon->npts = kCorners;
    polygon->boundbox = {{-INFINITY, -INFINITY}, {INFINITY, INFINITY}};
    const double* m = match.movement;
    for (int i = 0; i < kCorners; ++i) {
        const double x = corners[i][0], y = corners[i][1];
        Point& point = polygon->p[i];
        point = {m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]};
        BOX& bound = polygon->boundbox;
        bound.high = {Max(bound.high.x, point.x), Max(bound.high.y, point.y)};
        bound.low = {Min(bound.low.x, point.x), Min(bound.low.y, point.y)};
        if (i == 0) bound = {point, point};
    }
    return PolygonPGetDatum(polygon);
}

Datum movement_of(const SetMatch& match) {
    Datum numbers[lengthof(match.movement)];
    for (size_t i = 0; i < lengthof(numbers); ++i)
        numbers[i] = Float8GetDatum(match.movement[i] + 0.0);  // no negative zero
    return PointerGetDatum(construct_array(numbers, lengthof(numbers), FLOAT8OID, sizeof(float8),
                                           FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(local_distance) {
    PG_RETURN_FLOAT8(match_of(pair_of(fcinfo)).distance());
}

SQL_FUNCTION(local_features_within) {
    const double radius = PG_GETARG_FLOAT8(2);
    check_radius(radius);
    PG_RETURN_BOOL(match_of(pair_of(fcinfo)).distance() <= radius);
}

SQL_FUNCTION(in_local_features_sphere) {
    Sphere sphere;
    if (!read_sphere(PG_GETARG_DATUM(1), &sphere)) PG_RETURN_NULL();
    const Pair pair{local_argument(fcinfo, 0)->view(), checked_local_value(sphere.center)->view()};
    check_same_kind(pair.a, pair.b);
    PG_RETURN_BOOL(match_of(pair).distance() <= sphere.radius);
}

SQL_FUNCTION(match_local_features) {
    TupleDesc type;
    if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    const LocalFeatures a = local_argument(fcinfo, 0)->view();
    const LocalFeatures b = local_argument(fcinfo, 1)->view();
    check_same_kind(a, b);
    const SetMatch match = match_of({a, b});
    Datum values[] = {Int32GetDatum(static_cast<int32>(match.matches)),
                      Int32GetDatum(static_cast<int32>(match.inliers)),
                      Float8GetDatum(1 - match.distance()),
                      match.has_movement ? movement_of(match) : 0,
                      match.has_movement ? place_of(match, b.header) : 0,
                      BoolGetDatum(match.is_mirrored)};
    bool nulls[lengthof(values)] = {};
    nulls[3] = nulls[4] = !match.has_movement;
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(type), values, nulls)));
}

// rocchio(): a query moved towards what was marked good and away from what was marked bad.
#include "pg/type/descriptor.h"

#include <algorithm>
#include <cmath>

extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace lookalike {
namespace {

// Marks of one sort that are not NULL.
struct Marks {
    Descriptor** values;
    int count;
};

Marks read_marks(ArrayType* array, const DescriptorView& query) {
    const Oid type = ARR_ELEMTYPE(array);
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    Datum* elements;
    bool* is_null;
    int count;
    deconstruct_array(array, type, length, by_value, alignment, &elements, &is_null, &count);
    Marks marks{static_cast<Descriptor**>(palloc(sizeof(Descriptor*) * (count + 1))), 0};
    for (int i = 0; i < count; ++i) {
        if (is_null[i]) continue;
        Descriptor* value = checked_descriptor(elements[i]);
        check_numeric(value->view(), "rocchio()");
        check_same_dims(query, value->view());
        marks.values[marks.count++] = value;
    }
    return marks;
}

double share_argument(FunctionCallInfo fcinfo, int index, const char* name) {
    const double share = PG_GETARG_FLOAT8(index);
    if (std::isfinite(share) && share >= 0) return share;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" must be a number that is not negative", name)));
    pg_unreachable();
}

// Adds `share` of the mean to the sums.
void add_mean(const Marks& marks, double share, uint32 dims, double* sums) {
    for (int mark = 0; mark < marks.count; ++mark) {
        const DescriptorView view = marks.values[mark]->view();
        CHECK_FOR_INTERRUPTS();
        for (uint32 i = 0; i < dims; ++i)
            sums[i] += share / marks.count * element_at(view, i);
    }
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(rocchio) {
    const DescriptorView query = descriptor_argument(fcinfo, 0)->view();
    check_numeric(query, "rocchio()");
    const Marks good = read_marks(PG_GETARG_ARRAYTYPE_P(1), query);
    const Marks bad = read_marks(PG_GETARG_ARRAYTYPE_P(2), query);
    const double keep = share_argument(fcinfo, 3, "keep");
    const double towards = share_argument(fcinfo, 4, "towards");
    const double away = share_argument(fcinfo, 5, "away");
    auto* sums = static_cast<double*>(palloc(sizeof(double) * query.dims));
    for (uint32 i = 0; i < query.dims; ++i)
        sums[i] = keep * element_at(query, i);
    add_mean(good, towards, query.dims, sums);
    add_mean(bad, -away, query.dims, sums);
    // What is added up is a mean again: the distances from it stay comparable.
    const double all = keep + (good.count > 0 ? towards : 0) - (bad.count > 0 ? away : 0);
    if (!(all > 0))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("keep and towards together must be greater than away")));
    Descriptor* result = make_descriptor(query.kind, query.dims);
    for (uint32 i = 0; i < query.dims; ++i)
        store_result(result, i, sums[i] / all);
    PG_RETURN_POINTER(result);
}

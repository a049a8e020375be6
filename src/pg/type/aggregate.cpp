// sum and avg. The state is a double precision array: the number of rows, 1 when every row was
// half, then one sum for each dimension; before the first row it holds the first two only.
#include "pg/type/descriptor.h"

#include <cstring>

namespace lookalike {
namespace {

constexpr uint32 kCount = 0;
constexpr uint32 kAllHalf = 1;
constexpr uint32 kSums = 2;

struct State {
    ArrayType* array;
    double* values;
    uint32 dims;
};

State read_state(ArrayType* array) {
    const int length = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
    if (length < static_cast<int>(kSums) || length > static_cast<int>(kSums + kMaxDims) ||
        ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT8OID) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("expected a descriptor aggregate state")));
    }
    return {array, reinterpret_cast<double*>(ARR_DATA_PTR(array)),
            static_cast<uint32>(length) - kSums};
}

State make_state(uint32 dims) {
    const Size size = ARR_OVERHEAD_NONULLS(1) + sizeof(double) * (kSums + dims);
    auto* array = static_cast<ArrayType*>(palloc0(size));
    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->elemtype = FLOAT8OID;
    ARR_DIMS(array)[0] = static_cast<int>(kSums + dims);
    ARR_LBOUND(array)[0] = 1;
    State state = read_state(array);
    state.values[kAllHalf] = 1;
    return state;
}

// The state with room for `dims` sums, which the caller may change in place.
State writable_state(FunctionCallInfo fcinfo, uint32 dims) {
    const State old = read_state(PG_GETARG_ARRAYTYPE_P(0));
    if (old.dims != 0 && old.dims != dims) {
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("expected %u dimensions, not %u", old.dims, dims)));
    }
    MemoryContext aggregate_context;
    const bool in_aggregate = AggCheckCallContext(fcinfo, &aggregate_context) != 0;
    if (in_aggregate && old.dims == dims) return old;
    const MemoryContext previous =
        MemoryContextSwitchTo(in_aggregate ? aggregate_context : CurrentMemoryContext);
    State state = make_state(dims);
    MemoryContextSwitchTo(previous);
    if (old.dims == dims) memcpy(state.values, old.values, sizeof(double) * (kSums + dims));
    return state;
}

// NULL when no row was seen.
Descriptor* finish(FunctionCallInfo fcinfo, bool average) {
    const State state = read_state(PG_GETARG_ARRAYTYPE_P(0));
    const double count = state.values[kCount];
    if (!(count >= 1)) return nullptr;
    const bool is_half = state.values[kAllHalf] == 1;
    Descriptor* result = make_descriptor(is_half ? Kind::kHalf : Kind::kReal, state.dims);
    for (uint32 i = 0; i < state.dims; ++i) {
        const double sum = state.values[kSums + i];
        const double value = average ? sum / count : sum;
        store_result(result, i, value);
    }
    return result;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_accum) {
    const DescriptorView view = descriptor_argument(fcinfo, 1)->view();
    check_numeric(view, "an aggregate");
    const State state = writable_state(fcinfo, view.dims);
    state.values[kCount] += 1;
    if (view.kind != Kind::kHalf) state.values[kAllHalf] = 0;
    for (uint32 i = 0; i < view.dims; ++i)
        state.values[kSums + i] += element_at(view, i);
    PG_RETURN_ARRAYTYPE_P(state.array);
}

SQL_FUNCTION(descriptor_combine) {
    const State other = read_state(PG_GETARG_ARRAYTYPE_P(1));
    if (other.values[kCount] == 0) PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    const State state = writable_state(fcinfo, other.dims);
    state.values[kCount] += other.values[kCount];
    if (other.values[kAllHalf] != 1) state.values[kAllHalf] = 0;
    for (uint32 i = 0; i < other.dims; ++i)
        state.values[kSums + i] += other.values[kSums + i];
    PG_RETURN_ARRAYTYPE_P(state.array);
}

SQL_FUNCTION(descriptor_sum) {
    Descriptor* result = finish(fcinfo, false);
    if (result == nullptr) PG_RETURN_NULL();
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(descriptor_avg) {
    Descriptor* result = finish(fcinfo, true);
    if (result == nullptr) PG_RETURN_NULL();
    PG_RETURN_POINTER(result);
}

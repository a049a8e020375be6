// An argument that is the same from call to call is fetched from TOAST twice, then kept.
#pragma once

#include "pg/type/descriptor.h"

namespace lookalike {

/// Fetches a value and checks it.
using CheckedValue = varlena* (*)(Datum datum);

/// The argument `index`, which may lie in TOAST, as kept_argument() says of descriptors. A value of
/// more than `most_bytes` is not kept.
varlena* kept_value(FunctionCallInfo fcinfo, int index, CheckedValue checked, size_t most_bytes);

/// The rest of kept_argument(), for a value outside of its row.
Descriptor* moved_argument(FunctionCallInfo fcinfo, int index);

/// As descriptor_argument(), but the value belongs to the function's call site, where the argument
/// lies in TOAST and the last call had the same one: a search compares its query with every row.
/// There is at most one value for each of the first two arguments, of 64 kB at most. Takes
/// flinfo->fn_extra for itself. REQUIRES: index < 2. The next call may free the value.
inline Descriptor* kept_argument(FunctionCallInfo fcinfo, int index) {
    const Datum datum = PG_GETARG_DATUM(index);
    return VARATT_IS_EXTERNAL(DatumGetPointer(datum)) ? moved_argument(fcinfo, index)
                                                      : checked_descriptor(datum);
}

}  // namespace lookalike

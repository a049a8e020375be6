// Equality and hash of local features: by their bytes.
#include "pg/local/value.h"

#include <cstring>

namespace lookalike {
namespace {

// An index that is built calls these for each row, in one memory context.
bool are_equal(FunctionCallInfo fcinfo) {
    LocalValue* a = local_argument(fcinfo, 0);
    LocalValue* b = local_argument(fcinfo, 1);
    const bool equal =
        VARSIZE(a) == VARSIZE(b) && memcmp(a->bytes, b->bytes, VARSIZE(a) - VARHDRSZ) == 0;
    PG_FREE_IF_COPY(a, 0);
    PG_FREE_IF_COPY(b, 1);
    return equal;
}

uint64 hash_of(FunctionCallInfo fcinfo, uint64 seed) {
    LocalValue* value = local_argument(fcinfo, 0);
    const uint64 hash =
        hash_bytes_extended(value->bytes, static_cast<int>(VARSIZE(value) - VARHDRSZ), seed);
    PG_FREE_IF_COPY(value, 0);
    return hash;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(local_features_eq) {
    PG_RETURN_BOOL(are_equal(fcinfo));
}

SQL_FUNCTION(local_features_ne) {
    PG_RETURN_BOOL(!are_equal(fcinfo));
}

SQL_FUNCTION(local_features_hash) {
    PG_RETURN_UINT32(static_cast<uint32>(hash_of(fcinfo, 0)));
}

SQL_FUNCTION(local_features_hash_extended) {
    PG_RETURN_UINT64(hash_of(fcinfo, static_cast<uint64>(PG_GETARG_INT64(1))));
}

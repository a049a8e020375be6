// Casts between descriptor and the types of pgvector, which sql/lookalike_pgvector--1.0.sql
// declares. A vector lies in memory as a real descriptor does; a halfvec does but for the kind.
#include <cstring>

#include "pg/type/column_value.h"

namespace lookalike {
namespace {

// A copy: what is made here may be changed.
Descriptor* copy_of_kind(const DescriptorView& from, Kind kind) {
    Descriptor* copy = make_descriptor(from.kind, from.dims);
    memcpy(copy->data, from.data, element_bytes(from.kind, from.dims));
    return convert_descriptor(copy, kind);
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_to_vector) {
    PG_RETURN_POINTER(copy_of_kind(descriptor_argument(fcinfo, 0)->view(), Kind::kReal));
}

SQL_FUNCTION(descriptor_to_halfvec) {
    Descriptor* halfvec = copy_of_kind(descriptor_argument(fcinfo, 0)->view(), Kind::kHalf);
    halfvec->kind = 0;
    PG_RETURN_POINTER(halfvec);
}

SQL_FUNCTION(halfvec_to_descriptor) {
    const ColumnValue value = read_column_value(ValueType::kHalfvec, PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(copy_of_kind(value.vector, Kind::kHalf));
}

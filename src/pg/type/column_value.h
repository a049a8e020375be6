// The value of an indexed column as a vector, whatever its type: descriptor, or one of the types
// that pgvector has or uses (docs/PGVECTOR.md).
#pragma once

#include "core/page/page_format.h"
#include "pg/type/descriptor.h"

namespace lookalike {

struct ColumnValue {
    Datum value;  ///< out of TOAST; palloc'd unless it lay in the row as it is
    DescriptorView vector;
};

/// Raises when the value is damaged, or no index could hold it.
ColumnValue read_column_value(ValueType type, Datum datum);

/// Of a real vector: whether distances from it, which pgvector adds up in floats, neither overflow
/// nor lose what is small.
bool is_measured_well(const DescriptorView& vector);

/// What the type modifier of a column of this type demands.
TypeModifier column_typmod(ValueType type, int32 typmod);

}  // namespace lookalike

// What ANALYZE knows about NULLs.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// The share of a column's values that are NULL; 0 where there are no statistics. The column of a
/// table, or of an index that has an expression there.
double null_fraction(Relation relation, AttrNumber column);

}  // namespace lookalike

// Conditions on filter attributes that PostgreSQL leaves out of ordered index paths.
#pragma once

#include "pg/server.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace lookalike {

/// Adds to a path, on a copy of its list, what the planner did not offer:
///   - IN and = ANY on a column after the first: for an ordering index the planner drops them,
///     because a btree would lose its order over them; this one does not;
///   - a bare boolean column or its negation, which it matches for its own operator classes only.
/// Called from the cost estimate, the one place where an access method sees a path before it is
/// compared with others.
void add_extra_clauses(PlannerInfo* root, IndexPath* path);

}  // namespace lookalike

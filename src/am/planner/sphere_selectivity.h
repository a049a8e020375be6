// The share of a table's rows that lies in a sphere: of one whose centre is known, as the values
// tell that ANALYZE keeps; where they do not tell, as an index on the column has measured it.
#pragma once

#include "pg/server.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace lookalike {

/// Where neither tells.
constexpr double kDefaultSelectivity = 0.001;

/// Of `descriptor <operator> sphere`; the arguments as a restriction estimator gets them. False:
/// the descriptor is no column of one relation, or the sphere not a constant beside it.
bool sphere_selectivity(PlannerInfo* root, Oid operator_id, List* arguments, int relation,
                        double* selectivity);

/// The same of a join, whose centres are rows. False: no index has measured it.
bool sphere_join_selectivity(PlannerInfo* root, Oid operator_id, List* arguments,
                             double* selectivity);

}  // namespace lookalike

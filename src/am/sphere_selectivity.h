// The share of a table's rows that lies in a sphere.
#pragma once

#include "pg/server.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace lookalike {

/// Where statistics say nothing: columns of more than 1 kB have none, and a centre may not be known
/// before the query runs.
constexpr double kDefaultSelectivity = 0.001;

/// Of `descriptor <operator> sphere`; the other arguments as a restriction estimator gets them.
double sphere_selectivity(PlannerInfo* root, Oid operator_id, List* arguments, int relation);

}  // namespace lookalike

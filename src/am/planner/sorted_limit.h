// ORDER BY distance LIMIT k comes sorted, although a scan finds some rows late.
//
// A scan gives rows nearest first among those that it has found so far. A row whose list is opened
// later, or whose code promised too little, comes after rows that are farther than it. So the plan
// takes from the scan as many rows as LIMIT and OFFSET ask for, and then sorts these:
//
//     Limit                      as the statement says
//       ->  Sort                 by the distances that the executor has computed
//             ->  Limit          as many rows as the two numbers above need
//                   ->  Index Scan, perhaps below joins
//
// Rows are counted where the statement counts them, above joins and filters. So the answer has as
// many rows as there are, and has those that it would have without the sort. Where nothing counts
// them, all are read and sorted: mostly another plan does that at less cost.
//
// Nothing else may rely on the order: not windows, DISTINCT, groups or set operations.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Whether a scan may claim that its rows come in the order that the query asks for: nothing looks
/// at the order before it is mended.
bool may_claim_order(const PlannerInfo* root);

/// From now on plans sort what they take from a scan in order.
void sort_what_scans_find();

}  // namespace lookalike

// What the planner is told a function of descriptors costs.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Of one call of a function of the extension, by its COST, which is meant for 64 bytes, and by
/// what its arguments must fetch from TOAST. REQUIRES: arguments that belong to `function`.
/// `call`: the expression, null where the planner does not tell.
double function_cost(PlannerInfo* root, Oid function, const Node* call, const List* arguments);

/// The arguments of a call of a function or an operator; NIL: it is neither.
const List* arguments_of(const Node* call);

}  // namespace lookalike

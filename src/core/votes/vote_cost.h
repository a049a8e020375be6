// What a search by votes costs by the planner's prices: plain numbers in, plain numbers out.
#pragma once

#include "core/search/search_cost.h"
#include "core/votes/vote_plan.h"

namespace lookalike {

struct VoteWork {
    double list_count;
    VoteEffort effort;
    double entries;  ///< of the index
    double pages;
    double rows;        ///< of the table that the index holds
    double given_rows;  ///< pass the conditions that the index knows
    double kept_share;  ///< of these pass the conditions that it does not know
    bool ends_at_sphere;
    double loop_count;  ///< so many searches follow each other
};

SearchCost vote_cost(const VoteWork& work, const Prices& prices);

}  // namespace lookalike

#include "core/votes/vote_cost.h"

#include <algorithm>
#include <cmath>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// What a query mostly has; the planner does not know it.
constexpr double kFeatures = 600;
// Two codes are compared in about a nanosecond, an operator is called in about 25.
constexpr double kCodeOperators = 0.04;
// As the other access methods charge for a page that is in the cache.
constexpr double kPageVisitOperators = 50;

}  // namespace

SearchCost vote_cost(const VoteWork& work, const Prices& prices) {
    const double lists = std::min(kFeatures * work.effort.lists_per_feature, work.list_count);
    const double share = lists / std::max(work.list_count, 1.0);
    const double cache = work.loop_count > 1 ? 1 / std::sqrt(work.loop_count) : 1;
    const double pages = std::max(share * work.pages, 1.0);
    const double codes =
        kFeatures * (work.list_count +
                     work.effort.lists_per_feature * work.entries / std::max(work.list_count, 1.0));
    const uint32_t patience = work.effort.patience * (work.ends_at_sphere ? kPatienceInSphere : 1u);
    const double compared = std::min(double{1} * patience, work.rows);
    const double startup = cache * pages * prices.sequential_page +
                           pages * kPageVisitOperators * prices.operator_call +
                           codes * kCodeOperators * prices.operator_call + prices.distance_startup +
                           compared * (prices.distance + cache * prices.random_page);
    if (work.ends_at_sphere) return {startup, startup + prices.index_tuple * work.given_rows};
    // What has nothing in common with the query comes from one list, and from the table as it lies.
    const double risk = 1 / std::max(work.kept_share, 1e-9);
    const double row = prices.index_tuple + kPageVisitOperators * prices.operator_call * risk;
    return {startup, startup + work.given_rows * row};
}

}  // namespace lookalike

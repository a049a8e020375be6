// What a search costs by the planner's prices: plain numbers in, plain numbers out.
#pragma once

#include <cstdint>

#include "core/search/probe_plan.h"

namespace lookalike {

/// Of PostgreSQL, with the settings of now.
struct Prices {
    double random_page;
    double sequential_page;
    double operator_call;
    double index_tuple;
    double distance_startup;
    double distance;  ///< that the executor computes of a row
};

struct IndexSize {
    double pages;
    double rows;
};

/// What a query wants of an index.
struct SearchDemand {
    double wanted_share;  ///< of the rows pass all conditions, spheres apart
    double given_rows;    ///< pass the conditions that the index knows
    double kept_share;    ///< of the rows given out pass the conditions that it does not know
    bool ends_at_sphere;
    double sphere_rows;  ///< lie in that sphere
    double loop_count;   ///< so many searches follow each other
};

/// What a search is expected to do.
struct SearchWork {
    double all_lists = 1;
    double first_lists = 1;  ///< opened for the first rows
    double last_lists = 1;   ///< in the end, when it ends at a sphere
    double refined_entries;  ///< for the first rows
};

struct SearchCost {
    double startup;
    double total;
};

/// Where nothing is known of the index: it is one list.
SearchWork work_of_one_list(const IndexSize& index);

/// `opened_share`: of the lists of a spread beyond the first, those that a mean query opens.
/// `is_exhaustive`: the search looks at every entry of its one list.
SearchWork expected_work(const ProbePlan& plan, double opened_share, uint32_t list_count,
                         bool is_exhaustive, const IndexSize& index, const SearchDemand& demand);

SearchCost search_cost(const SearchWork& work, const IndexSize& index, const SearchDemand& demand,
                       const Prices& prices);

}  // namespace lookalike

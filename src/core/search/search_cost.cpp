#include "core/search/search_cost.h"

#include <algorithm>
#include <cmath>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// An entry is scanned by a few vector instructions, a tenth of an operator's call.
constexpr double kEntryOperatorShare = 0.1;
// List pages make about a third of the pages; the rest are read for refined entries only.
constexpr double kListPageShare = 0.35;
constexpr double kRefinedEntries = 150;
// To look at one is to visit a page in the cache, which PostgreSQL's own indexes charge as so many
// operators. A row given out has taken several: entries refined before it, lists opened for it.
constexpr double kPageVisitOperators = 50;
constexpr double kVisitsPerRow = 10;

// Rows that a condition outside of the index lets through may lie far from the query: then the scan
// gives out many more rows for each of them than their share tells, while a condition inside the
// index skips them. So a share that is thrown away counts as so many times what it costs at best.
constexpr double kThrownAwayRisk = 4;

double visit_cost(const Prices& prices) {
    return kPageVisitOperators * prices.operator_call;
}

double entry_cost(const Prices& prices) {
    return kEntryOperatorShare * prices.operator_call;
}

// Each has one at least.
double pages_of_lists(double lists, const SearchWork& work, const IndexSize& index) {
    return std::max(lists / work.all_lists * (kListPageShare * index.pages), lists);
}

// Neighbouring pages of a list lie together; refined entries lie anywhere. A loop finds most of
// what it needs in the cache.
double reading_cost(double lists, double refined, const SearchWork& work, const IndexSize& index,
                    double loop_count, const Prices& prices) {
    const double cache = loop_count > 1 ? 1 / std::sqrt(loop_count) : 1;
    const double list_pages = pages_of_lists(lists, work, index);
    return cache * (lists * prices.random_page + (list_pages - lists) * prices.sequential_page +
                    std::min(refined, index.pages) * prices.sequential_page) +
           lists / work.all_lists * index.rows * entry_cost(prices) + refined * visit_cost(prices);
}

// Of a scan that goes on after the first rows.
double rest_cost(double first_cost, const SearchWork& work, const IndexSize& index,
                 const SearchDemand& demand, const Prices& prices) {
    if (demand.ends_at_sphere) {
        const double refined = std::min(work.refined_entries + demand.sphere_rows, index.rows);
        return reading_cost(work.last_lists, refined, work, index, demand.loop_count, prices) -
               first_cost;
    }
    const double pages_read = pages_of_lists(work.first_lists, work, index);
    return (index.pages - std::min(index.pages, pages_read)) * prices.sequential_page +
           index.rows * entry_cost(prices);
}

}  // namespace

SearchWork work_of_one_list(const IndexSize& index) {
    return {.refined_entries = std::min(kRefinedEntries, index.rows)};
}

SearchWork expected_work(const ProbePlan& plan, double opened_share, uint32_t list_count,
                         bool is_exhaustive, const IndexSize& index, const SearchDemand& demand) {
    const auto lists_for = [&](double rows, double share) {
        const SpreadOfLists spread = plan.spread_for(rows, std::max(share, 1e-9));
        const double lists = spread.first + opened_share * (spread.most - spread.first);
        return std::clamp(lists, 1.0, double{1} * list_count);
    };
    SearchWork work = work_of_one_list(index);
    work.all_lists = list_count;
    work.first_lists = lists_for(kFirstRows, demand.wanted_share);
    work.last_lists = std::max(work.first_lists, lists_for(demand.sphere_rows, 1));
    if (is_exhaustive) work.refined_entries = index.rows * demand.wanted_share;
    return work;
}

SearchCost search_cost(const SearchWork& work, const IndexSize& index, const SearchDemand& demand,
                       const Prices& prices) {
    const double first_cost = reading_cost(work.first_lists, work.refined_entries, work, index,
                                           demand.loop_count, prices);
    // The executor computes the distance of every row that the index gives it.
    const double startup = first_cost + prices.distance_startup +
                           std::min(kRowsAhead, demand.given_rows) * prices.distance;
    const double risk = 1 + kThrownAwayRisk * (1 - demand.kept_share);
    const double row_cost =
        kVisitsPerRow * visit_cost(prices) + prices.index_tuple + prices.distance;
    const double rest = std::max(rest_cost(first_cost, work, index, demand, prices), 0.0);
    return {startup, startup + rest + demand.given_rows * risk * row_cost};
}

}  // namespace lookalike

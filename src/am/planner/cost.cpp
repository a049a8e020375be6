// What the planner is told a scan costs.
#include "am/access_method.h"

extern "C" {
#include "access/relation.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"
}

#include <algorithm>

#include "am/options.h"
#include "am/planner/extra_clauses.h"
#include "am/planner/sorted_limit.h"
#include "am/planner/sphere_planning.h"
#include "am/storage/loaded_index.h"
#include "core/search/search_cost.h"
#include "core/votes/vote_cost.h"
#include "core/votes/vote_plan.h"

namespace lookalike {
namespace {

// What is known of a scan before the index is looked at.
struct ScanPlan {
    IndexSize size;
    SearchDemand demand;
    Prices prices;
};

SearchCost cost_of_search(const ScanPlan& plan, const MetaPage& meta, double recall) {
    const SearchWork work =
        expected_work(probe_plan(meta, recall, wanted_probes()),
                      opened_share(calibration_of(meta), recall), meta.leaf_count,
                      is_exhaustive(meta.depth, meta.refine, meta.metric,
                                    static_cast<BlockNumber>(plan.size.pages)),
                      plan.size, plan.demand);
    return search_cost(work, plan.size, plan.demand, plan.prices);
}

SearchCost cost_of_votes(const ScanPlan& plan, const MetaPage& meta, double recall) {
    const double lists = meta.leaf_count;
    return vote_cost({.list_count = lists,
                      .effort = vote_effort(recall, wanted_probes()),
                      .entries = lists * lists,
                      .pages = plan.size.pages,
                      .rows = plan.size.rows,
                      .given_rows = plan.demand.given_rows,
                      .kept_share = plan.demand.kept_share,
                      .ends_at_sphere = plan.demand.ends_at_sphere,
                      .loop_count = plan.demand.loop_count},
                     plan.prices);
}

// False: the index cannot be read.
bool cost_of_scan(const IndexOptInfo* info, const ScanPlan& plan, SearchCost* cost) {
    if (info->hypothetical) {
        *cost = search_cost(work_of_one_list(plan.size), plan.size, plan.demand, plan.prices);
        return true;
    }
    Relation index = index_open(info->indexoid, NoLock);
    MetaPage meta;
    const bool is_readable = peek_meta(index, &meta);
    if (is_readable) {
        const double recall = wanted_recall(index_options(index));
        *cost = meta.content == Content::kLocalFeatures ? cost_of_votes(plan, meta, recall)
                                                        : cost_of_search(plan, meta, recall);
    }
    index_close(index, NoLock);
    return is_readable;
}

// Of the rows of the path's table, by statistics and indexes.
double rows_share(PlannerInfo* root, const IndexPath* path, List* conditions) {
    return clauselist_selectivity(root, conditions, static_cast<int>(path->indexinfo->rel->relid),
                                  JOIN_INNER, nullptr);
}

// The share of the rows that the index gives out that conditions outside of it let through.
double share_left(PlannerInfo* root, const IndexPath* path, double index_selectivity) {
    if (path->path.param_info != nullptr || index_selectivity <= 0) return 1;
    const double all = rows_share(root, path, path->indexinfo->indrestrictinfo);
    return std::clamp(all / index_selectivity, 1e-9, 1.0);
}

SearchDemand demand_of(PlannerInfo* root, const IndexPath* path, List* spheres, double selectivity,
                       double loop_count) {
    const double rows = path->indexinfo->tuples;
    const bool is_bounded = ends_at_sphere(path, spheres);
    const double in_sphere = is_bounded ? rows_share(root, path, spheres) : 1;
    const double attribute_share = std::min(selectivity / std::max(in_sphere, 1e-9), 1.0);
    const double left = share_left(root, path, selectivity);
    return {.wanted_share = attribute_share * left,
            .given_rows = rows * selectivity,
            .kept_share = left,
            .ends_at_sphere = is_bounded,
            .sphere_rows = in_sphere * rows,
            .loop_count = loop_count};
}

// As the settings and the index's tablespace say.
Prices current_prices(PlannerInfo* root, const IndexPath* path) {
    Prices prices{};
    get_tablespace_page_costs(path->indexinfo->reltablespace, &prices.random_page,
                              &prices.sequential_page);
    prices.operator_call = cpu_operator_cost;
    prices.index_tuple = cpu_index_tuple_cost;
    QualCost distance;
    cost_qual_eval(&distance, path->indexorderbys, root);
    prices.distance_startup = distance.startup;
    prices.distance = distance.per_tuple;
    return prices;
}

}  // namespace

void estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup_cost,
                   Cost* total_cost, Selectivity* selectivity, double* correlation, double* pages) {
    const IndexOptInfo* info = path->indexinfo;
    add_extra_clauses(root, path);
    *selectivity = rows_share(root, path, get_quals_from_indexclauses(path->indexclauses));
    *correlation = 0;
    *pages = info->pages;
    const ScanPlan plan{
        .size = {.pages = double{1} * info->pages, .rows = info->tuples},
        .demand = demand_of(root, path, sphere_conditions(path), *selectivity, loop_count),
        .prices = current_prices(root, path)};
    const bool is_ordered = path->indexorderbys != NIL;
    const bool is_useful = is_ordered ? may_claim_order(root) : plan.demand.ends_at_sphere;
    SearchCost cost{};
    if (!is_useful || !cost_of_scan(info, plan, &cost)) {
        // Reading all rows, or in no useful order, is the heap's job.
        *startup_cost = get_float8_infinity();
        *total_cost = get_float8_infinity();
        rule_out(&path->path);
        return;
    }
    *startup_cost = cost.startup;
    *total_cost = cost.total;
}

}  // namespace lookalike

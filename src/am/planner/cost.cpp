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
#include <cmath>

#include "am/options.h"
#include "am/planner/extra_clauses.h"
#include "am/planner/sorted_limit.h"
#include "am/planner/sphere_planning.h"
#include "am/storage/loaded_index.h"

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

// What a scan does.
struct Work {
    double all_lists;
    double first_lists;      // opened for the first rows
    double last_lists;       // in the end, when it ends at a radius
    double refined_entries;  // for the first rows
};

// `share` passes the conditions on attributes; `sphere_rows` lie in the sphere, before those.
// False: the index cannot be read.
bool plan_work(const IndexOptInfo* info, double share, double sphere_rows, Work* work) {
    *work = {1, 1, 1, std::min(kRefinedEntries, info->tuples)};
    if (info->hypothetical) return true;
    Relation index = index_open(info->indexoid, NoLock);
    MetaPage meta;
    const bool is_readable = peek_meta(index, &meta);
    if (is_readable) {
        const ProbePlan plan =
            probe_plan(meta, wanted_recall(index_options(index)), wanted_probes());
        const auto lists_for = [&](double rows, double passing) {
            const SpreadOfLists spread = plan.spread_for(rows, std::max(passing, 1e-9));
            return std::clamp((spread.first + spread.most) / 2, 1.0, double{1} * meta.leaf_count);
        };
        work->all_lists = meta.leaf_count;
        work->first_lists = lists_for(kFirstRows, share);
        work->last_lists = std::max(work->first_lists, lists_for(sphere_rows, 1));
        if (is_exhaustive(meta.depth, meta.refine, meta.metric, info->pages)) {
            work->refined_entries = info->tuples * share;
        }
    }
    index_close(index, NoLock);
    return is_readable;
}

// The share of the rows that the index gives out that conditions outside of it let through.
double share_left(PlannerInfo* root, const IndexPath* path, double index_selectivity) {
    const RelOptInfo* table = path->indexinfo->rel;
    if (path->path.param_info != nullptr || index_selectivity <= 0) return 1;
    const double all = clauselist_selectivity(root, path->indexinfo->indrestrictinfo,
                                              static_cast<int>(table->relid), JOIN_INNER, nullptr);
    return std::clamp(all / index_selectivity, 1e-9, 1.0);
}

}  // namespace

void estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup_cost,
                   Cost* total_cost, Selectivity* selectivity, double* correlation, double* pages) {
    const IndexOptInfo* info = path->indexinfo;
    add_extra_clauses(root, path);
    *selectivity = clauselist_selectivity(root, get_quals_from_indexclauses(path->indexclauses),
                                          static_cast<int>(info->rel->relid), JOIN_INNER, nullptr);
    *correlation = 0;
    *pages = info->pages;
    List* spheres = sphere_conditions(path);
    const bool is_bounded = ends_at_sphere(path, spheres);
    const double in_sphere =
        is_bounded ? clauselist_selectivity(root, spheres, static_cast<int>(info->rel->relid),
                                            JOIN_INNER, nullptr)
                   : 1;
    const double attribute_share = std::min(*selectivity / std::max(in_sphere, 1e-9), 1.0);
    const double sphere_rows = in_sphere * info->tuples;
    const double left = share_left(root, path, *selectivity);
    Work work;
    const bool is_ordered = path->indexorderbys != NIL;
    if ((is_ordered ? !may_claim_order(root) : !is_bounded) ||
        !plan_work(info, attribute_share * left, sphere_rows, &work)) {
        // Reading all rows, or in no useful order, is the heap's job.
        *startup_cost = get_float8_infinity();
        *total_cost = get_float8_infinity();
        rule_out(&path->path);
        return;
    }
    double random_page_cost;
    double seq_page_cost;
    get_tablespace_page_costs(info->reltablespace, &random_page_cost, &seq_page_cost);
    const double all_list_pages = kListPageShare * info->pages;
    const double passing = info->tuples * *selectivity;
    // The executor computes the distance of every row that the index gives it.
    QualCost distance;
    cost_qual_eval(&distance, path->indexorderbys, root);
    const double entry_cost = kEntryOperatorShare * cpu_operator_cost;
    const double visit_cost = kPageVisitOperators * cpu_operator_cost;
    // Neighbouring pages of a list lie together; refined entries lie anywhere. A loop finds most of
    // what it needs in the cache.
    const double cache = loop_count > 1 ? 1 / std::sqrt(loop_count) : 1;
    const auto search_cost = [&](double lists, double refined) {
        const double share = lists / work.all_lists;
        const double list_pages = std::max(share * all_list_pages, lists);
        return cache * (lists * random_page_cost + (list_pages - lists) * seq_page_cost +
                        std::min(refined, double{1} * info->pages) * seq_page_cost) +
               share * info->tuples * entry_cost + refined * visit_cost;
    };
    *startup_cost = search_cost(work.first_lists, work.refined_entries) + distance.startup +
                    std::min(kRowsAhead, passing) * distance.per_tuple;
    const double list_pages =
        std::max(work.first_lists / work.all_lists * all_list_pages, work.first_lists);
    const double rest_cost =
        is_bounded ? search_cost(work.last_lists,
                                 std::min(work.refined_entries + sphere_rows, info->tuples)) -
                         search_cost(work.first_lists, work.refined_entries)
                   : (info->pages - std::min<double>(info->pages, list_pages)) * seq_page_cost +
                         info->tuples * entry_cost;
    *total_cost = *startup_cost + std::max(rest_cost, 0.0) +
                  passing * (1 + kThrownAwayRisk * (1 - left)) *
                      (kVisitsPerRow * visit_cost + cpu_index_tuple_cost + distance.per_tuple);
}

}  // namespace lookalike

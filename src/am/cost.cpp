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

#include "am/extra_clauses.h"
#include "am/options.h"
#include "am/pages.h"
#include "am/sphere_planning.h"

namespace lookalike {
namespace {

// An entry is scanned by a few vector instructions, a tenth of an operator's call.
constexpr double kEntryOperatorShare = 0.1;
// List pages make about a third of the pages; the rest are read for refined entries only.
constexpr double kListPageShare = 0.35;
constexpr double kRefinedEntries = 150;
// Rows that somebody who asks for the nearest wants.
constexpr double kRowsOfFirstLists = 10;

// Never raises for what the page holds: a damaged index is reported by the scan, not by planning.
bool peek_meta(Relation index, MetaPage* meta) {
    if (RelationGetNumberOfBlocks(index) == 0) return false;
    const Buffer buffer = ReadBuffer(index, kMetaBlock);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    memcpy(meta, page_body(buffer_bytes(buffer)), sizeof *meta);
    const bool is_ours = page_fault(buffer_bytes(buffer), PageKind::kMeta) == nullptr;
    UnlockReleaseBuffer(buffer);
    return is_ours && meta->magic == kMetaMagic && meta->version == kFormatVersion &&
           meta->leaf_count > 0;
}

// Lists of the index, and how many of them a scan opens.
struct Lists {
    double all;
    double opened_first;  // for the first rows
    double opened;        // in the end, when it ends at a radius
};

// `share` passes the conditions on attributes; `sphere_rows` lie in the sphere, before those.
// False: the index cannot be read.
bool count_lists(const IndexOptInfo* info, double share, double sphere_rows, Lists* lists) {
    *lists = {1, 1, 1};
    if (info->hypothetical) return true;
    Relation index = index_open(info->indexoid, NoLock);
    MetaPage meta;
    const bool is_readable = peek_meta(index, &meta);
    if (is_readable) {
        const ProbePlan plan = probe_plan(index_options(index), meta);
        const auto lists_for = [&](double rows, double passing) {
            return std::clamp(plan.lists_for(rows, std::max(passing, 1e-9)), 1.0,
                              double{1} * meta.leaf_count);
        };
        lists->all = meta.leaf_count;
        lists->opened_first = lists_for(kRowsOfFirstLists, share);
        lists->opened = std::max(lists->opened_first, lists_for(sphere_rows, 1));
    }
    index_close(index, NoLock);
    return is_readable;
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
    const double passing = *selectivity / std::max(in_sphere, 1e-9);
    const double sphere_rows = in_sphere * info->tuples;
    Lists lists;
    if ((path->indexorderbys == NIL && !is_bounded) ||
        !count_lists(info, std::min(passing, 1.0), sphere_rows, &lists)) {
        // Reading all rows in no useful order is the heap's job.
        *startup_cost = get_float8_infinity();
        *total_cost = get_float8_infinity();
        return;
    }
    double random_page_cost;
    double seq_page_cost;
    get_tablespace_page_costs(info->reltablespace, &random_page_cost, &seq_page_cost);
    const double all_list_pages = kListPageShare * info->pages;
    const double entry_cost = kEntryOperatorShare * cpu_operator_cost;
    // Neighbouring pages of a list lie together; refined entries lie anywhere. A loop finds most of
    // what it needs in the cache.
    const double cache = loop_count > 1 ? 1 / std::sqrt(loop_count) : 1;
    const auto search_cost = [&](double opened, double refined) {
        const double share = opened / lists.all;
        const double list_pages = std::max(share * all_list_pages, opened);
        return cache * (opened * random_page_cost + (list_pages - opened) * seq_page_cost +
                        std::min(refined, double{1} * info->pages) * seq_page_cost) +
               share * info->tuples * entry_cost + refined * cpu_operator_cost;
    };
    const double refined = std::min(kRefinedEntries, info->tuples);
    *startup_cost = search_cost(lists.opened_first, refined);
    const double list_pages =
        std::max(lists.opened_first / lists.all * all_list_pages, lists.opened_first);
    const double rest_cost =
        is_bounded ? search_cost(lists.opened, std::min(refined + sphere_rows, info->tuples)) -
                         *startup_cost
                   : (info->pages - std::min<double>(info->pages, list_pages)) * seq_page_cost +
                         info->tuples * entry_cost;
    *total_cost = *startup_cost + rest_cost +
                  info->tuples * *selectivity * (cpu_index_tuple_cost + cpu_operator_cost);
}

}  // namespace lookalike

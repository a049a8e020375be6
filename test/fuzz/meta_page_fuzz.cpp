// Hostile meta pages. What meta_fault() lets pass decides how all other pages are read, how a scan
// plans and what the planner is told: none of that may leave its bounds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/measure/neighbour_distances.h"
#include "core/page/list_geometry.h"
#include "core/page/meta_page.h"
#include "core/search/search_cost.h"

using namespace lookalike;

namespace {

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

void check_geometry(const ListGeometry& geometry) {
    require(geometry.max_entries > 0, "a list page takes an entry");
    require(geometry.used_bytes() <= kBodyBytes, "a list page holds what it takes");
    require(geometry.attributes.count <= kMaxAttributes, "attributes have a place");
}

void check_plan(const MetaPage& meta, double recall, uint32_t probes) {
    const ProbePlan plan = probe_plan(meta, recall, probes);
    for (const double rows : {1.0, 45.0, 200.0, 1e6}) {
        for (const double share : {1.0, 0.3, 1e-9}) {
            const SpreadOfLists spread = plan.spread_for(rows, share);
            require(spread.first >= 0 && spread.most >= 0, "a plan tells numbers of lists");
        }
    }
    plan.may_hold(meta.metric, 3, 1);
    plan.may_reach(meta.metric, 3, 1, 0.5);
    const IndexSize size{.pages = 1000, .rows = 1e5};
    const SearchDemand demand{.wanted_share = 0.5,
                              .given_rows = 1e4,
                              .kept_share = 0.5,
                              .ends_at_sphere = true,
                              .sphere_rows = 1e4,
                              .loop_count = 1};
    const double opened = opened_share(calibration_of(meta), recall);
    const SearchWork work = expected_work(plan, opened, meta.leaf_count, false, size, demand);
    require(work.first_lists >= 1 && work.first_lists <= work.all_lists, "first lists exist");
    require(work.last_lists >= 1 && work.last_lists <= work.all_lists, "last lists exist");
    const SearchCost cost = search_cost(work, size, demand, {4, 1, 0.0025, 0.005, 0, 0.01});
    require(cost.startup >= 0 && cost.total >= cost.startup, "a search costs something");
}

}  // namespace

// The first byte: whether the page is sealed, and whether it begins as one of ours.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const bool is_sealed = data[0] & 1;
    const bool begins_well = data[0] & 2;
    MetaPage meta{};
    std::memcpy(&meta, data + 1, std::min(size - 1, sizeof meta));
    if (begins_well) {
        meta.magic = kMetaMagic;
        meta.version = kFormatVersion;
        meta.payload_bytes = 0;
        meta.depth = 1 + meta.depth % 2;
        if (meta.depth == 1) meta.leaf_count = 1;
    }
    if (is_sealed) seal(&meta);
    if (meta_fault(meta) != nullptr) return 0;
    for (const uint32_t level : {0u, 1u})
        check_geometry(list_geometry(meta, level));
    for (const double recall : {0.01, 0.5, 0.95, 0.9999, 1.0})
        check_plan(meta, recall, 0);
    check_plan(meta, 0.95, 7);
    const Calibration calibration = calibration_of(meta);
    require(rows_per_list(calibration) >= 0, "lists have rows");
    for (const double distance : {-1.0, 0.0, 3.0, 1e300})
        share_within(calibration, distance);
    return 0;
}

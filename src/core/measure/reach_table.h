// How far lists must reach for what share of the nearest rows (core/search/probe_plan.h tells what
// reaching means).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/measure/calibration_record.h"

namespace lookalike {

/// Filters that leave one row in so many, drawn at random, and one that leaves the rows of the
/// farther half of the lists: these stand for all.
constexpr uint32_t kThinnings[] = {2, 8, 32};
constexpr uint32_t kThinningCount = 3;
constexpr uint32_t kSparseFilter = kThinningCount - 1;
constexpr uint32_t kFarFilter = kThinningCount;
constexpr uint32_t kFilterCount = kThinningCount + 1;

/// One of the nearest rows of a query.
struct ReachedRow {
    float reach;    ///< the list_reach() with which its list may hold the last of them
    uint32_t rank;  ///< so many lists are nearer to the query than its own
};
using ReachedRows = std::vector<ReachedRow>;

/// The nearest rows that each filter leaves of some queries, by falling reach.
using LeftRows = std::array<ReachedRows, kFilterCount>;

/// Calibration::reach_within, where the lists of `probes` hold the first rows. `rows` are the first
/// rows of all queries, `of_full` of those that met all rows.
ByRecall<float> reach_within_spread(std::span<const ReachedRow> rows,
                                    std::span<const ReachedRow> of_full,
                                    const ByRecall<uint32_t>& probes);

/// Calibration::reach.
ByRecall<float> reach_alone(const LeftRows& left);

/// Calibration::reach_besides, where lists of a spread are opened by `reach_within`.
ByRecall<float> reach_besides_spread(const LeftRows& left, const ByRecall<uint32_t>& probes,
                                     const ByRecall<float>& reach_within);

}  // namespace lookalike

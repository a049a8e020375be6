// How many of the nearest lists hold what share of the nearest rows.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/measure/calibration_record.h"

namespace lookalike {

/// Rows of some queries, counted by the rank of their list: so many others are nearer to the query.
using RowsByRank = std::vector<uint64_t>;

/// From this recall on, few queries decide, and those that met near lists only do not know how many
/// lists the hardest of them would take: what they say counts only upwards.
constexpr double kFullQueriesDecideFrom = 0.99;

/// The first so many lists that have this share of the rows; at least one.
uint32_t lists_with(const RowsByRank& rows, double share);

/// Calibration::probes. rows[i] are among the nearest kCalibratedRows[i] of all queries; `of_full`
/// are the first rows of those queries that met all rows.
ProbeTable probe_table(const std::array<RowsByRank, kCalibratedRowCounts>& rows,
                       const RowsByRank& of_full);

}  // namespace lookalike

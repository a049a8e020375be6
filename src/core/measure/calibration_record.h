// What an index has measured of itself, as its meta page keeps it: how many lists hold what share
// of the nearest rows, how far lists reach, how far rows are from each other. A build and
// faiss_index_calibrate write it (core/measure/calibrator.h), every scan reads it
// (core/search/probe_plan.h). The bytes are in docs/INDEX_FORMAT.md.
#pragma once

#include <array>
#include <cstdint>

#include "core/page/page_format.h"

namespace lookalike {

/// Rows that somebody who asks for the nearest wants.
constexpr uint32_t kFirstRows = 10;

constexpr uint32_t kCalibratedRows[] = {kFirstRows, 100, 1000};
constexpr double kCalibratedRecalls[] = {0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999};
constexpr uint32_t kCalibratedRowCounts = 3;
constexpr uint32_t kCalibratedRecallCounts = 8;
constexpr uint32_t kCalibratedRanks[] = {1, 10, 100, 1000};
constexpr double kCalibratedShares[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
constexpr uint32_t kCalibratedRankCount = 4;
constexpr uint32_t kCalibratedShareCount = 8;

/// A value for each of kCalibratedRecalls.
template <class Value>
using ByRecall = std::array<Value, kCalibratedRecallCounts>;

/// probes[i][j]: lists that hold a share kCalibratedRecalls[j] of the kCalibratedRows[i] nearest.
using ProbeTable = std::array<ByRecall<uint32_t>, kCalibratedRowCounts>;

/// As the meta page stores it. All zero: never measured. What spread, reach and reach besides mean
/// is told in core/search/probe_plan.h.
struct Calibration {
    uint32_t query_count;
    uint32_t list_count;
    ProbeTable probes;
    uint64_t row_count;  ///< in these lists
    /// reach[j]: of the nearest rows that the sparse filter leaves, and of those that the far one
    /// leaves, a share kCalibratedRecalls[j] lies in lists whose list_reach() is at most this.
    ByRecall<float> reach;
    /// The same of filters that draw at random, together with the lists of the spread.
    ByRecall<float> reach_besides;
    /// Squared distance of a typical row from its centroid; for the inner product, how long the
    /// centroid is in the direction of the row. Below 0 and 0: not known.
    float residual;
    uint32_t full_query_count;  ///< of query_count those that met all rows; 0: not known
    /// The distance, as SQL shows it, of a typical row from the kCalibratedRanks[i]-th nearest
    /// other one.
    std::array<float, kCalibratedRankCount> rank_distance;
    /// A share kCalibratedShares[i] of all pairs of rows is no farther apart than this. All zero:
    /// distances were not measured, only lists.
    std::array<float, kCalibratedShareCount> share_distance;
    /// Of the ten nearest rows, a share kCalibratedRecalls[j] lies in the nearest lists that
    /// SpreadOfLists says for it, those beyond the first of them only as far as their list_reach()
    /// is at most this. All zero: not measured.
    ByRecall<float> reach_within;
    /// Of the lists of that spread beyond the first, a query opens this share on average. All zero:
    /// not measured.
    ByRecall<float> opened_share;
};
static_assert(sizeof(Calibration) == 8 + 4 * 24 + 8 + 4 * 4 * 8 + 8 + 4 * 4 + 4 * 8);
static_assert(sizeof(Calibration) <= sizeof(MetaPage::calibration));

Calibration calibration_of(const MetaPage& meta);

/// Seal the page afterwards.
void set_calibration(MetaPage* meta, const Calibration& calibration);

/// Rows that a list had on average when the index measured itself; 0: it never did.
double rows_per_list(const Calibration& calibration);

/// Of the lists of a spread beyond the first, the share that a query of this recall opens on
/// average; the middle where that was not measured, as by versions before this was.
double opened_share(const Calibration& calibration, double recall);

/// Reads between the columns, evenly in the logarithm of what is missing; below the first and above
/// the last of them as there.
double at_recall(const ByRecall<uint32_t>& values, double recall);
double at_recall(const ByRecall<float>& values, double recall);

}  // namespace lookalike

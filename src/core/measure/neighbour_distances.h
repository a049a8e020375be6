// How far rows are from each other: measured with an index, and asked for the share of the rows
// that a sphere holds.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/measure/calibration_record.h"

namespace lookalike {

/// The share of the rows within this distance of a typical row, at least one row; 0 where distances
/// were not measured.
double share_within(const Calibration& calibration, double distance);

/// Collects distances, as SQL shows them, of rows from some queries.
class NeighbourDistances {
  public:
    /// Of one query: the distances of the nearest other rows, the nearest first, and of a sample of
    /// all rows.
    void add_query(std::span<const float> nearest, std::span<const float> sampled);

    /// Calibration::rank_distance: a typical query's, because few queries lie among many near rows,
    /// and would make the mean theirs. 0 where there are too few rows.
    std::array<float, kCalibratedRankCount> of_ranks() const;

    /// Calibration::share_distance: of all queries, as far off none of them stands out.
    std::array<float, kCalibratedShareCount> of_shares() const;

  private:
    std::vector<float> of_rank_[kCalibratedRankCount];
    std::vector<float> of_pairs_;
};

}  // namespace lookalike

// How far rows are from each other: measured with an index, and asked for the share of the rows
// that a sphere holds, and how unusual a distance is.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/measure/calibration_record.h"
#include "core/vector/metric.h"

namespace lookalike {

/// A share of the rows, and how far from a typical row it lies.
struct CurvePoint {
    double share;
    double distance;
};

/// What was measured, for many questions: points that rise in both. Those that are no number, which
/// a faulty page may hold, are left out. Trivial, so that a backend may keep it anywhere.
class DistanceCurve {
  public:
    DistanceCurve(const Calibration& calibration, Metric metric);

    /// False: distances were not measured.
    bool is_measured() const { return count_ > 0; }

    /// The share of the rows within this distance of a typical row, at least one row; 0 where
    /// distances were not measured.
    double share_within(double distance) const;

    /// The same, but below the distance of the nearest row as much less than one row as the
    /// distance is unusual: nothing at distance 0. By the inner product, which has no zero, the
    /// slope of what was measured goes on. NaN of NaN.
    double expected_share(double distance) const;

  private:
    void add(CurvePoint point);

    bool is_signed_;
    double power_;
    uint32_t count_ = 0;
    CurvePoint points_[kCalibratedRankCount + kCalibratedShareCount];
};

/// DistanceCurve::share_within() of one question.
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

#include "core/measure/neighbour_distances.h"

#include <algorithm>
#include <cmath>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// A share of the rows, and how far from a typical row it lies.
struct CurvePoint {
    double share;
    double distance;
};

// What was measured, rising in both. Points that are no number, which a faulty page may hold, are
// left out.
class Curve {
  public:
    explicit Curve(const Calibration& calibration) {
        const auto rows = static_cast<double>(calibration.row_count);
        for (uint32_t i = 0; i < kCalibratedRankCount && kCalibratedRanks[i] < rows; ++i)
            add({kCalibratedRanks[i] / rows, calibration.rank_distance[i]});
        for (uint32_t i = 0; i < kCalibratedShareCount; ++i)
            add({kCalibratedShares[i], calibration.share_distance[i]});
    }
    std::span<const CurvePoint> points() const { return {points_, count_}; }

  private:
    void add(CurvePoint point) {
        if (!std::isfinite(point.distance)) return;
        if (count_ > 0) {
            const CurvePoint& last = points_[count_ - 1];
            if (point.share <= last.share) return;
            point.distance = std::max(point.distance, last.distance);
        }
        points_[count_++] = point;
    }

    CurvePoint points_[kCalibratedRankCount + kCalibratedShareCount];
    uint32_t count_ = 0;
};

// Between two points the share grows evenly in its logarithm.
double share_between(const CurvePoint& low, const CurvePoint& high, double distance) {
    const double at = (distance - low.distance) / (high.distance - low.distance);
    return low.share * std::pow(high.share / low.share, at);
}

// The least value that so large a share does not exceed; 0 of none. Changes their order.
float quantile(std::vector<float>& values, double share) {
    if (values.empty()) return 0;
    const double at = std::ceil(share * static_cast<double>(values.size())) - 1;
    const auto place = values.begin() + static_cast<ptrdiff_t>(std::max(at, 0.0));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

}  // namespace

double share_within(const Calibration& calibration, double distance) {
    if (calibration.share_distance.back() == 0 || calibration.row_count == 0) return 0;
    const Curve curve(calibration);
    const std::span<const CurvePoint> points = curve.points();
    if (points.empty()) return 0;
    if (distance < points.front().distance) return points.front().share;
    for (size_t i = 1; i < points.size(); ++i) {
        if (distance < points[i].distance) return share_between(points[i - 1], points[i], distance);
    }
    return 1;
}

void NeighbourDistances::add_query(std::span<const float> nearest, std::span<const float> sampled) {
    for (uint32_t i = 0; i < kCalibratedRankCount; ++i) {
        const uint32_t rank = kCalibratedRanks[i];
        if (rank <= nearest.size()) of_rank_[i].push_back(nearest[rank - 1]);
    }
    of_pairs_.insert(of_pairs_.end(), sampled.begin(), sampled.end());
}

std::array<float, kCalibratedRankCount> NeighbourDistances::of_ranks() const {
    std::array<float, kCalibratedRankCount> result;
    for (uint32_t i = 0; i < kCalibratedRankCount; ++i) {
        std::vector<float> distances = of_rank_[i];
        result[i] = quantile(distances, 0.5);
    }
    return result;
}

std::array<float, kCalibratedShareCount> NeighbourDistances::of_shares() const {
    std::array<float, kCalibratedShareCount> result;
    std::vector<float> distances = of_pairs_;
    for (uint32_t i = 0; i < kCalibratedShareCount; ++i)
        result[i] = quantile(distances, kCalibratedShares[i]);
    return result;
}

}  // namespace lookalike

#include "core/measure/neighbour_distances.h"

#include <algorithm>
#include <cmath>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Between two points the share grows evenly in its logarithm.
double share_between(const CurvePoint& low, const CurvePoint& high, double distance) {
    const double at = (distance - low.distance) / (high.distance - low.distance);
    return low.share * std::pow(high.share / low.share, at);
}

// Towards zero the share falls as the volume of a ball does, by a power of the distance. What
// tables have between the nearest row and the tenth is about this (2 to 8, docs/EXTRACTORS.md); one
// power for all of them tells copies from others better than each one's own does, which would go on
// far below what was measured. Other distances than L2 are squares, or grow as squares do.
double power_towards_zero(Metric metric) {
    return metric == Metric::kL2 ? 6 : 3;
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

DistanceCurve::DistanceCurve(const Calibration& calibration, Metric metric)
    : is_signed_(metric == Metric::kInnerProduct), power_(power_towards_zero(metric)) {
    if (calibration.share_distance.back() == 0 || calibration.row_count == 0) return;
    const auto rows = static_cast<double>(calibration.row_count);
    for (uint32_t i = 0; i < kCalibratedRankCount && kCalibratedRanks[i] < rows; ++i)
        add({kCalibratedRanks[i] / rows, calibration.rank_distance[i]});
    for (uint32_t i = 0; i < kCalibratedShareCount; ++i)
        add({kCalibratedShares[i], calibration.share_distance[i]});
}

void DistanceCurve::add(CurvePoint point) {
    if (!std::isfinite(point.distance)) return;
    if (count_ > 0) {
        const CurvePoint& last = points_[count_ - 1];
        if (point.share <= last.share) return;
        point.distance = std::max(point.distance, last.distance);
    }
    points_[count_++] = point;
}

double DistanceCurve::share_within(double distance) const {
    if (count_ == 0) return 0;
    if (distance < points_[0].distance) return points_[0].share;
    for (uint32_t i = 1; i < count_; ++i) {
        if (distance < points_[i].distance)
            return share_between(points_[i - 1], points_[i], distance);
    }
    return 1;
}

double DistanceCurve::expected_share(double distance) const {
    if (std::isnan(distance)) return distance;
    if (count_ == 0 || (!is_signed_ && distance <= 0)) return 0;
    // By the inner product the nearest row is mostly the query itself, which was not left out.
    uint32_t low = is_signed_ && count_ > 2 ? 1 : 0;
    while (low + 1 < count_ && !is_signed_ && points_[low].distance <= 0)
        ++low;
    const CurvePoint& nearest = points_[low];
    if (distance >= nearest.distance) return share_within(distance);
    if (!is_signed_) return nearest.share * std::pow(distance / nearest.distance, power_);
    uint32_t high = low;
    while (high + 1 < count_ && points_[high].distance <= nearest.distance)
        ++high;
    if (points_[high].distance <= nearest.distance) return 0;
    return share_between(nearest, points_[high], distance);
}

double share_within(const Calibration& calibration, double distance) {
    return DistanceCurve(calibration, Metric::kL2).share_within(distance);
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

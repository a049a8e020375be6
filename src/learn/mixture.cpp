#include "learn/mixture.h"

#include <algorithm>
#include <cmath>

#include "learn/assign.h"

namespace lookalike {
namespace {

/// A part is nowhere narrower than this share of how widely all points lie.
constexpr double kLeastVarianceShare = 0.01;
constexpr double kLeastVariance = 1e-4;
constexpr double kLeastWeight = 1e-7;

/// What points add to a part: their number, sums and sums of squares.
struct Sums {
    std::vector<double> counts, firsts, seconds;

    Sums(size_t parts, size_t dims) : counts(parts), firsts(parts * dims), seconds(parts * dims) {}

    void add(size_t part, std::span<const float> point) {
        counts[part] += 1;
        for (size_t d = 0; d < point.size(); ++d) {
            const size_t place = part * point.size() + d;
            firsts[place] += point[d];
            seconds[place] += double{point[d]} * point[d];
        }
    }
    double mean(size_t part, size_t place) const { return firsts[place] / counts[part]; }
    double variance(size_t part, size_t place) const {
        return seconds[place] / counts[part] - mean(part, place) * mean(part, place);
    }
};

double least_variance(const Sums& all) {
    double variance = 0;
    for (size_t d = 0; d < all.firsts.size(); ++d)
        variance += all.variance(0, d) / static_cast<double>(all.firsts.size());
    return std::max(variance * kLeastVarianceShare, kLeastVariance);
}

/// A part that has nothing keeps its place.
void take_sums(const Sums& sums, double least, Mixture& mixture) {
    double all = 0;
    for (const double count : sums.counts)
        all += count;
    for (size_t part = 0; part < mixture.part_count(); ++part) {
        if (sums.counts[part] == 0) continue;
        mixture.weights[part] = std::max(sums.counts[part] / all, kLeastWeight);
        for (size_t i = part * mixture.dims; i < (part + 1) * mixture.dims; ++i) {
            mixture.means[i] = sums.mean(part, i);
            mixture.variances[i] = std::max(sums.variance(part, i), least);
        }
    }
}

}  // namespace

std::vector<float> density_map(const Mixture& mixture) {
    const size_t dims = mixture.dims;
    const size_t parts = mixture.part_count();
    std::vector<float> map((2 * dims + 1) * parts);
    for (size_t part = 0; part < parts; ++part) {
        double offset = std::log(mixture.weights[part]);
        for (size_t d = 0; d < dims; ++d) {
            const double mean = mixture.means[part * dims + d];
            const double variance = mixture.variances[part * dims + d];
            map[d * parts + part] = static_cast<float>(mean / variance);
            map[(dims + d) * parts + part] = static_cast<float>(-0.5 / variance);
            offset -= 0.5 * (std::log(variance) + mean * mean / variance);
        }
        map[2 * dims * parts + part] = static_cast<float>(offset);
    }
    return map;
}

Mixture mixture_of_clusters(const RowsView& points, std::span<const float> middles) {
    const size_t parts = middles.size() / points.dims;
    std::vector<uint32_t> nearest(points.row_count);
    std::vector<float> distances(points.row_count);
    Assigner(middles, points.dims).assign(points, nearest, distances);
    Sums sums(parts, points.dims), all(1, points.dims);
    for (size_t i = 0; i < points.row_count; ++i) {
        sums.add(nearest[i], points.span(i));
        all.add(0, points.span(i));
    }
    Mixture mixture{.dims = points.dims,
                    .weights = std::vector<double>(parts, kLeastWeight),
                    .means = {middles.begin(), middles.end()},
                    .variances = std::vector<double>(middles.size(), kLeastVariance)};
    take_sums(sums, least_variance(all), mixture);
    return mixture;
}

}  // namespace lookalike

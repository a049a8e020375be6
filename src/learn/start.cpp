#include "learn/start.h"

#include <algorithm>
#include <limits>

#include "core/vector/distance_kernels.h"
#include "core/vector/mixing.h"

namespace lookalike {
namespace {

constexpr size_t kRowsPerCentroid = 16;
constexpr size_t kLeastRows = 4096;
// Rows tried for one centroid: together so many, at most 8, at least one.
constexpr size_t kTriesOfAll = 512;
constexpr size_t kMostTries = 8;
// To wake the threads takes longer than to look at fewer elements.
constexpr size_t kElementsForThreads = 100000;

class Random {  // splitmix64
  public:
    explicit Random(int seed) : state_(static_cast<uint64_t>(seed)) {}

    uint64_t next() { return mixed(state_ += kMixingStep); }
    uint64_t below(uint64_t end) { return next() % end; }
    /// In [0, 1).
    double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  private:
    uint64_t state_;
};

/// Puts a random choice of `count` of them first.
void choose_first(std::vector<uint32_t>& indices, size_t count, Random& random) {
    for (size_t i = 0; i < count; ++i)
        std::swap(indices[i], indices[i + random.below(indices.size() - i)]);
    indices.resize(count);
}

/// Rows on their way to be centroids, and how far they are from those that there are.
class Spread {
  public:
    Spread(const RowsView& rows, std::vector<uint32_t> candidates)
        : rows_(rows),
          candidates_(std::move(candidates)),
          nearest_(candidates_.size(), std::numeric_limits<float>::infinity()) {}

    /// Makes a candidate, by its place, a centroid.
    void take(size_t place) {
        nearest_ = nearest_with(place);
        nearest_[place] = -1;  // never again, also where distances are too small for floats
        const auto row = rows_.span(candidates_[place]);
        centroids_.insert(centroids_.end(), row.begin(), row.end());
        total_ = sum(nearest_);
    }

    /// A candidate that is none yet.
    size_t draw(Random& random) const {
        double left = random.share() * total_;
        size_t last = nearest_.size();
        for (size_t i = 0; i < nearest_.size(); ++i) {
            if (nearest_[i] < 0) continue;
            if (last == nearest_.size() || nearest_[i] > 0) last = i;
            left -= nearest_[i];
            if (left < 0) break;
        }
        return last;
    }

    /// The best of so many candidates: with which the distances sum up to the least.
    size_t draw_best(size_t tries, Random& random) const {
        size_t best = draw(random);
        if (tries == 1) return best;
        double least = sum(nearest_with(best));
        for (size_t i = 1; i < tries; ++i) {
            const size_t place = draw(random);
            const double distances = sum(nearest_with(place));
            if (distances >= least) continue;
            least = distances;
            best = place;
        }
        return best;
    }

    std::vector<float> centroids() && { return std::move(centroids_); }

  private:
    std::vector<float> nearest_with(size_t place) const {
        const float* added = rows_.row(candidates_[place]);
        std::vector<float> nearest(nearest_.size());
#pragma omp parallel for if (nearest.size() * rows_.dims >= kElementsForThreads)
        for (size_t i = 0; i < nearest.size(); ++i)
            nearest[i] =
                std::min(nearest_[i], l2_squared(rows_.row(candidates_[i]), added, rows_.dims));
        return nearest;
    }

    static double sum(const std::vector<float>& distances) {
        double total = 0;
        for (const float distance : distances)
            total += std::max(distance, 0.0f);
        return total;
    }

    const RowsView& rows_;
    std::vector<uint32_t> candidates_;
    std::vector<float> nearest_;  // squared distances; below 0: a centroid
    std::vector<float> centroids_;
    double total_ = 0;
};

}  // namespace

std::vector<float> random_centroids(const RowsView& rows, std::vector<uint32_t> distinct,
                                    size_t list_count, int seed) {
    Random random(seed);
    choose_first(distinct, list_count, random);
    std::vector<float> centroids;
    centroids.reserve(list_count * rows.dims);
    for (const uint32_t index : distinct) {
        const auto row = rows.span(index);
        centroids.insert(centroids.end(), row.begin(), row.end());
    }
    return centroids;
}

std::vector<float> spread_centroids(const RowsView& rows, std::vector<uint32_t> distinct,
                                    size_t list_count, int seed) {
    Random random(seed);
    const size_t most = std::max(kLeastRows, kRowsPerCentroid * list_count);
    choose_first(distinct, std::min(distinct.size(), most), random);
    Spread spread(rows, std::move(distinct));
    const size_t tries = std::clamp<size_t>(kTriesOfAll / list_count, 1, kMostTries);
    spread.take(0);
    for (size_t i = 1; i < list_count; ++i)
        spread.take(spread.draw_best(tries, random));
    return std::move(spread).centroids();
}

}  // namespace lookalike

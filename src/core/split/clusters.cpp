#include "core/split/clusters.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "core/no_postgres.h"
#include "core/split/partition.h"
#include "core/split/row_kernels.h"
#include "core/split/row_set.h"
#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

// Centroids start at rows drawn from so many a cluster ...
constexpr uint32_t kStartRows = 16;
constexpr uint32_t kLeastStartRows = 256;
// ... each the best of so many that were drawn.
constexpr int kStartDraws = 3;

// A row is an outlier if it is so many times as far from the middle as all rows but this share of
// the mean number of a cluster's.
constexpr float kFar = 2;
constexpr double kOutlierShare = 1.0 / 8;
constexpr int kOutlierRounds = 3;

using Context = Partition::Context;

/// `count` of the items, or all, each with the same chance. Keeps their order.
std::vector<uint32_t> draw(const std::vector<uint32_t>& from, size_t count,
                           std::mt19937_64& random) {
    if (count >= from.size()) return from;
    std::vector<uint32_t> drawn;
    drawn.reserve(count);
    for (size_t i = 0; drawn.size() < count; ++i)
        if (random() % (from.size() - i) < count - drawn.size()) drawn.push_back(from[i]);
    return drawn;
}

/// The rows that are no outliers lie within a distance from their mean.
struct Bulk {
    std::vector<float> mean;
    float squared_radius = 0;
    std::vector<uint32_t> rows;

    float distance(Context& context, uint32_t row) const {
        context.checkpoint.passed(mean.size());
        return l2_squared(context.rows[row].data(), mean.data(), mean.size());
    }
};

std::vector<float> mean_of(Context& context, const std::vector<uint32_t>& rows) {
    std::vector<double> sums(context.rows.dims());
    for (const uint32_t row : rows) {
        add_to_sums(context.rows[row].data(), sums.size(), sums.data());
        context.checkpoint.passed(sums.size());
    }
    std::vector<float> mean;
    for (const double sum : sums)
        mean.push_back(static_cast<float>(sum / static_cast<double>(rows.size())));
    return mean;
}

/// Outliers move the mean from which they are told, so they are looked for again without those
/// that were found.
Bulk find_bulk(Context& context, std::vector<uint32_t> rows) {
    auto left =
        static_cast<size_t>(kOutlierShare * static_cast<double>(rows.size()) / context.count);
    Bulk bulk{{}, 0, std::move(rows)};
    std::vector<float> distances, sorted;
    for (int round = 0; round < kOutlierRounds; ++round) {
        bulk.mean = mean_of(context, bulk.rows);
        distances.clear();
        for (const uint32_t row : bulk.rows)
            distances.push_back(bulk.distance(context, row));
        sorted = distances;
        const auto last = sorted.end() - 1 - static_cast<ptrdiff_t>(left);
        std::ranges::nth_element(sorted, last);
        bulk.squared_radius = kFar * kFar * *last;
        std::vector<uint32_t> within;
        for (size_t i = 0; i < distances.size(); ++i)
            if (distances[i] <= bulk.squared_radius) within.push_back(bulk.rows[i]);
        const size_t found = bulk.rows.size() - within.size();
        bulk.rows = std::move(within);
        left -= found;
        if (found == 0) break;
    }
    return bulk;
}

/// Centroids to start from: rows that differ, as far apart as chance has it (k-means++).
class Starts {
  public:
    Starts(Context& context, std::vector<uint32_t> pool)
        : context_(context), pool_(std::move(pool)), squares_(pool_.size(), kFarAway) {
        take(distances_to(pool_[context_.random() % pool_.size()]));
        while (centroids_.size() < size_t{context_.count} * context_.rows.dims()) {
            const double sum = std::accumulate(squares_.begin(), squares_.end(), 0.0);
            if (sum == 0) return;
            take(best_draw(sum));
        }
    }

    std::vector<float> centroids() && { return std::move(centroids_); }

  private:
    static constexpr float kFarAway = std::numeric_limits<float>::max();

    /// How far each row of the pool would be from the nearest start if `row` were one.
    struct Draw {
        uint32_t row;
        std::vector<float> squares;
        double sum;
    };

    Draw distances_to(uint32_t row) const {
        Draw draw{row, squares_, 0};
        const auto start = context_.rows[row];
        for (size_t i = 0; i < pool_.size(); ++i) {
            const float square =
                l2_squared(start.data(), context_.rows[pool_[i]].data(), start.size());
            draw.squares[i] = std::min(draw.squares[i], square);
            draw.sum += draw.squares[i];
            context_.checkpoint.passed(start.size());
        }
        return draw;
    }

    /// Of rows that are drawn by their squares the one that leaves the least sum.
    Draw best_draw(double sum) {
        Draw best{0, {}, std::numeric_limits<double>::infinity()};
        for (int i = 0; i < kStartDraws; ++i) {
            double left = static_cast<double>(context_.random() >> 11) * 0x1p-53 * sum;
            size_t drawn = 0;
            size_t last = 0;
            for (; drawn < pool_.size(); ++drawn) {
                if (squares_[drawn] == 0) continue;
                last = drawn;
                left -= squares_[drawn];
                if (left < 0) break;
            }
            Draw draw = distances_to(pool_[last]);
            if (draw.sum < best.sum) best = std::move(draw);
        }
        return best;
    }

    void take(Draw draw) {
        squares_ = std::move(draw.squares);
        const auto start = context_.rows[draw.row];
        centroids_.insert(centroids_.end(), start.begin(), start.end());
    }

    Context& context_;
    std::vector<uint32_t> pool_;
    std::vector<float> squares_;
    std::vector<float> centroids_;
};

std::vector<float> start_centroids(Context& context, const Bulk& bulk,
                                   const ClusterOptions& options) {
    if (options.start.size() == size_t{context.count} * context.rows.dims()) {
        std::vector<float> start;
        for (const float element : options.start)
            start.push_back(context.rows.scaled(element));
        return start;
    }
    const size_t pool_size = std::max(size_t{kStartRows} * options.count, size_t{kLeastStartRows});
    return Starts(context, draw(bulk.rows, pool_size, context.random)).centroids();
}

std::vector<float> learn(Context& context, const Bulk& bulk, const ClusterOptions& options) {
    Partition learned(context, bulk.rows, start_centroids(context, bulk, options));
    for (uint32_t round = 0; round < options.rounds; ++round) {
        if (!learned.assign() && round > 0) break;
        learned.even_out();
        learned.move_to_means();
        if (options.binary) learned.round_to_signs();
    }
    return learned.centroids();
}

/// Without the clusters that are empty.
Clusters clusters_of(const Context& context, const Partition& partition) {
    Clusters clusters{context.rows.dims(), {}, partition.cluster_of()};
    std::vector<uint32_t> numbers(context.count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < context.count; ++i) {
        if (partition.sizes()[i] == 0) continue;
        numbers[i] = count++;
        for (const float element : partition.centroid(i))
            clusters.centroids.push_back(context.rows.original(element));
    }
    for (uint32_t& cluster : clusters.cluster_of)
        cluster = numbers[cluster];
    return clusters;
}

}  // namespace

Clusters find_clusters(std::span<const float> values, uint32_t dims, const ClusterOptions& options,
                       const std::function<void()>& check) {
    if (values.empty()) return {dims, {}, {}};
    Checkpoint checkpoint(check);
    const RowSet rows(values, dims, checkpoint);
    std::vector<uint32_t> all(rows.count());
    std::iota(all.begin(), all.end(), 0);
    Context context{.rows = rows,
                    .count = std::min(options.count, rows.count()),
                    .random = std::mt19937_64(options.seed),
                    .checkpoint = checkpoint};

    const size_t sample = size_t{options.sample} * context.count;
    const Bulk bulk = find_bulk(context, draw(all, sample, context.random));
    Partition partition(context, std::move(all), learn(context, bulk, options));
    partition.assign();
    partition.even_out();
    std::vector<bool> ordinary;
    for (const uint32_t row : partition.members())
        ordinary.push_back(bulk.distance(context, row) <= bulk.squared_radius);
    partition.move_to_means(ordinary);
    if (options.binary) partition.round_to_signs();
    return clusters_of(context, partition);
}

}  // namespace lookalike

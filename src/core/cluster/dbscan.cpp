#include "core/cluster/dbscan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "core/vector/distance.h"

namespace lookalike {
namespace {

constexpr size_t kTileBytes = size_t{16} * 1024;  // two of them in the first cache
constexpr size_t kLeastTileRows = 8;
constexpr size_t kMostTileRows = 128;
constexpr int32_t kNone = -1;

using Distance = double (*)(const DescriptorView& a, const DescriptorView& b);

Distance distance_of(Metric metric) {
    switch (metric) {
        case Metric::kCosine:
            return cosine_distance;
        case Metric::kHamming:
            return hamming_distance;
        case Metric::kJaccard:
            return jaccard_distance;
        default:
            return l2_distance;
    }
}

/// A distance that obeys the triangle inequality, which the cosine distance does not: the length of
/// the chord does.
double straight(Metric metric, double distance) {
    return metric == Metric::kCosine ? std::sqrt(std::max(2 * distance, 0.0)) : distance;
}

/// How far two rows are apart at least, as their straight distances to a third say: somewhat less,
/// because these are rounded. The chord of two directions that are nearly the same is rounded most.
class Apart {
  public:
    explicit Apart(const DbscanOptions& options)
        : reach_(straight(options.metric, options.radius) +
                 (options.metric == Metric::kCosine ? kChordError : 0)) {}

    /// REQUIRES: near <= far.
    bool are(double near, double far) const { return far - near > reach_ + kError * (near + far); }

  private:
    static constexpr double kError = 1e-5;
    static constexpr double kChordError = 4e-3;

    double reach_;
};

/// Clusters while they grow together.
class Sets {
  public:
    explicit Sets(size_t count) : parents_(count) {
        std::iota(parents_.begin(), parents_.end(), 0);
    }

    uint32_t find(uint32_t row) {
        while (parents_[row] != row)
            row = parents_[row] = parents_[parents_[row]];
        return row;
    }
    void unite(uint32_t a, uint32_t b) {
        a = find(a);
        b = find(b);
        parents_[std::max(a, b)] = std::min(a, b);
    }

  private:
    std::vector<uint32_t> parents_;
};

struct NearestCore {
    double distance = std::numeric_limits<double>::infinity();
    uint32_t row = 0;
};

class Dbscan {
  public:
    Dbscan(const DenseRows& rows, const DbscanOptions& options, void (*check)())
        : rows_(rows),
          options_(options),
          distance_(distance_of(options.metric)),
          apart_(options),
          check_(check) {}

    uint32_t run(std::span<int32_t> clusters) {
        sort_along_line();
        count_neighbours();
        join_neighbours();
        return write_clusters(clusters);
    }

  private:
    std::vector<double> distances_to(size_t row) const {
        std::vector<double> distances(rows_.count);
        for (size_t i = 0; i < rows_.count; ++i) {
            check_();
            distances[i] = straight(options_.metric, distance_(rows_.view(row), rows_.view(i)));
        }
        return distances;
    }

    /// Orders the rows by their distance to the one that is farthest from the first: neighbours are
    /// then near each other in that order, too.
    void sort_along_line() {
        std::vector<double> distances = distances_to(0);
        const auto end =
            static_cast<size_t>(std::ranges::max_element(distances) - distances.begin());
        distances = distances_to(end);
        given_.resize(rows_.count);
        std::iota(given_.begin(), given_.end(), 0);
        std::ranges::sort(given_, [&](uint32_t a, uint32_t b) {
            return distances[a] != distances[b] ? distances[a] < distances[b] : a < b;
        });
        along_.resize(rows_.count);
        for (size_t i = 0; i < rows_.count; ++i)
            along_[i] = distances[given_[i]];
        move_rows();
    }

    /// Puts the rows into the order of given_, cycle by cycle.
    void move_rows() {
        const size_t bytes = rows_.form.bytes();
        std::vector<uint8_t> first(bytes);
        std::vector<bool> is_done(rows_.count);
        for (size_t begin = 0; begin < rows_.count; ++begin) {
            if (is_done[begin]) continue;
            std::memcpy(first.data(), rows_.row(begin), bytes);
            size_t to = begin;
            for (; given_[to] != begin; to = given_[to]) {
                std::memcpy(rows_.row(to), rows_.row(given_[to]), bytes);
                is_done[to] = true;
            }
            std::memcpy(rows_.row(to), first.data(), bytes);
            is_done[to] = true;
        }
    }

    size_t tile_rows() const {
        return std::clamp(kTileBytes / rows_.form.bytes(), kLeastTileRows, kMostTileRows);
    }

    /// Calls visit(i, j) for each pair i < j that may be neighbours: tiles of rows with tiles.
    template <typename Visit>
    void each_pair(Visit visit) const {
        const size_t step = tile_rows();
        for (size_t left = 0; left < rows_.count; left += step) {
            const size_t left_end = std::min(left + step, rows_.count);
            for (size_t right = left; right < rows_.count; right += step) {
                if (right > left && apart_.are(along_[left_end - 1], along_[right])) break;
                check_();
                const size_t right_end = std::min(right + step, rows_.count);
                for (size_t i = left; i < left_end; ++i) {
                    for (size_t j = std::max(right, i + 1); j < right_end; ++j)
                        visit(static_cast<uint32_t>(i), static_cast<uint32_t>(j));
                }
            }
        }
    }

    double distance(uint32_t i, uint32_t j) const {
        return distance_(rows_.view(i), rows_.view(j));
    }

    bool is_core(uint32_t row) const { return neighbours_[row] >= options_.min_rows; }

    /// As far as they matter: of core rows no more are counted than make them one.
    void count_neighbours() {
        neighbours_.assign(rows_.count, 1);
        each_pair([&](uint32_t i, uint32_t j) {
            if ((is_core(i) && is_core(j)) || distance(i, j) > options_.radius) return;
            ++neighbours_[i];
            ++neighbours_[j];
        });
    }

    void join_neighbours() {
        sets_ = Sets(rows_.count);
        nearest_core_.resize(rows_.count);
        each_pair([&](uint32_t i, uint32_t j) {
            const bool i_is_core = is_core(i), j_is_core = is_core(j);
            if (!i_is_core && !j_is_core) return;
            if (i_is_core && j_is_core) {
                if (sets_.find(i) != sets_.find(j) && distance(i, j) <= options_.radius)
                    sets_.unite(i, j);
                return;
            }
            look_at_core(i_is_core ? j : i, i_is_core ? i : j);
        });
    }

    void look_at_core(uint32_t border, uint32_t core) {
        const double length = distance(border, core);
        NearestCore& nearest = nearest_core_[border];
        if (length > options_.radius || length > nearest.distance) return;
        if (length < nearest.distance || core < nearest.row) nearest = {length, core};
    }

    uint32_t write_clusters(std::span<int32_t> clusters) {
        std::vector<int32_t> numbers(rows_.count, kNone);
        int32_t count = 0;
        for (uint32_t i = 0; i < rows_.count; ++i) {
            clusters[given_[i]] = kNone;
            const bool is_border = !is_core(i);
            if (is_border && std::isinf(nearest_core_[i].distance)) continue;
            int32_t& number = numbers[sets_.find(is_border ? nearest_core_[i].row : i)];
            if (number == kNone) number = count++;
            clusters[given_[i]] = number;
        }
        return static_cast<uint32_t>(count);
    }

    const DenseRows rows_;
    const DbscanOptions options_;
    const Distance distance_;
    const Apart apart_;
    void (*const check_)();
    std::vector<uint32_t> given_;  // the place at which a row was given
    std::vector<double> along_;    // distances along the line, ascending
    std::vector<uint32_t> neighbours_;
    Sets sets_{0};
    std::vector<NearestCore> nearest_core_;
};

}  // namespace

uint32_t find_dense_clusters(const DenseRows& rows, const DbscanOptions& options,
                             std::span<int32_t> clusters, void (*check)()) {
    return Dbscan(rows, options, check).run(clusters);
}

}  // namespace lookalike

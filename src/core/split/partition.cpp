#include "core/split/partition.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "core/no_postgres.h"
#include "core/split/row_kernels.h"
#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
// A cluster of less than this share of the mean gives way ...
constexpr double kLeastShare = 1.0 / 8;
// ... if there is one of at least this share, whose halves need not give way then.
constexpr double kShareToHalve = 1.0 / 2;

/// Tells rows apart: those that are equal have the same.
uint64_t fingerprint(std::span<const float> row) {
    uint64_t hash = row.size();
    for (const float element : row) {
        hash ^= std::bit_cast<uint32_t>(element + 0.0f);  // -0 becomes 0
        hash *= 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 32;
    }
    return hash;
}

/// A member's place on the way along which a cluster is cut.
struct Place {
    float along;
    uint64_t fingerprint;
    uint32_t position;

    auto operator<=>(const Place&) const = default;
    bool is_that_of(const Place& other) const {
        return along == other.along && fingerprint == other.fingerprint;
    }
};

/// Where to cut, so that equal rows stay together and the parts are as even as they can be. 0 if
/// all are equal.
size_t most_even_cut(const std::vector<Place>& sorted) {
    const size_t middle = sorted.size() / 2;
    for (size_t off = 0; off <= middle; ++off) {
        for (const size_t cut : {middle - off, middle + off}) {
            if (cut == 0 || cut >= sorted.size()) continue;
            if (!sorted[cut - 1].is_that_of(sorted[cut])) return cut;
        }
    }
    return 0;
}

}  // namespace

Partition::Partition(Context& context, std::vector<uint32_t> members, std::vector<float> centroids)
    : context_(context),
      members_(std::move(members)),
      centroids_(std::move(centroids)),
      cluster_of_(members_.size()),
      sizes_(context.count),
      least_size_(kLeastShare * static_cast<double>(members_.size()) / context.count) {
    sizes_[0] = static_cast<uint32_t>(members_.size());
    // What equals an earlier one is no row's nearest.
    const std::vector<float> first(centroid(0).begin(), centroid(0).end());
    while (centroids_.size() < offset(context.count))
        centroids_.insert(centroids_.end(), first.begin(), first.end());
}

size_t Partition::offset(uint32_t cluster) const {
    return size_t{cluster} * context_.rows.dims();
}

std::span<const float> Partition::centroid(uint32_t cluster) const {
    return std::span(centroids_).subspan(offset(cluster), context_.rows.dims());
}

uint32_t Partition::nearest_but(std::span<const float> row, uint32_t left_out) const {
    uint32_t nearest = 0;
    float least = std::numeric_limits<float>::infinity();
    for (uint32_t cluster = 0; cluster < context_.count; ++cluster) {
        if (cluster == left_out) continue;
        const float distance = l2_squared(row.data(), centroid(cluster).data(), row.size());
        if (distance < least) {
            least = distance;
            nearest = cluster;
        }
    }
    return nearest;
}

void Partition::move_to(size_t position, uint32_t cluster) {
    --sizes_[cluster_of_[position]];
    ++sizes_[cluster];
    cluster_of_[position] = cluster;
}

bool Partition::assign() {
    bool changed = false;
    for (size_t start = 0; start < members_.size(); start += kRowsAtOnce) {
        const float* rows[kRowsAtOnce];
        for (size_t i = 0; i < kRowsAtOnce; ++i)
            rows[i] = context_.rows[members_[std::min(start + i, members_.size() - 1)]].data();
        uint32_t nearest[kRowsAtOnce];
        nearest_centroids(rows, centroids_.data(), context_.count, context_.rows.dims(), nearest);
        for (size_t i = start; i < std::min(start + kRowsAtOnce, members_.size()); ++i) {
            changed |= nearest[i - start] != cluster_of_[i];
            move_to(i, nearest[i - start]);
        }
        context_.checkpoint.passed(kRowsAtOnce * centroids_.size());
    }
    return changed;
}

void Partition::even_out() {
    // A step may have to be taken again only where equal rows leave no other way.
    for (uint32_t step = 0; step < context_.count; ++step) {
        const auto small = static_cast<uint32_t>(std::ranges::min_element(sizes_) - sizes_.begin());
        if (sizes_[small] > 0 && sizes_[small] >= least_size_) return;
        const uint32_t large = largest_to_halve(small);
        if (large == kNone) return;
        if (sizes_[small] > 0) dissolve(small);
        halve(large, small);
    }
}

/// kNone if there is none. An empty cluster takes half of any.
uint32_t Partition::largest_to_halve(uint32_t small) const {
    const double mean = static_cast<double>(members_.size()) / context_.count;
    const double least = sizes_[small] > 0 ? kShareToHalve * mean : 2;
    std::vector<uint32_t> by_size(sizes_.size());
    std::iota(by_size.begin(), by_size.end(), 0);
    std::ranges::stable_sort(by_size, std::greater(), [this](uint32_t c) { return sizes_[c]; });
    for (const uint32_t cluster : by_size) {
        if (sizes_[cluster] < least) break;
        if (has_different_rows(cluster)) return cluster;
    }
    return kNone;
}

bool Partition::has_different_rows(uint32_t cluster) const {
    const std::vector<uint32_t> positions = positions_in(cluster);
    const auto first = context_.rows[members_[positions.front()]];
    return std::ranges::any_of(positions, [&](uint32_t position) {
        context_.checkpoint.passed(first.size());
        return !std::ranges::equal(first, context_.rows[members_[position]]);
    });
}

std::vector<uint32_t> Partition::positions_in(uint32_t cluster) const {
    std::vector<uint32_t> positions;
    positions.reserve(sizes_[cluster]);
    for (size_t i = 0; i < members_.size(); ++i)
        if (cluster_of_[i] == cluster) positions.push_back(static_cast<uint32_t>(i));
    return positions;
}

/// Each of its members goes to the nearest of the other clusters.
void Partition::dissolve(uint32_t cluster) {
    for (const uint32_t position : positions_in(cluster)) {
        move_to(position, nearest_but(context_.rows[members_[position]], cluster));
        context_.checkpoint.passed(centroids_.size());
    }
}

/// Cuts a cluster in two along the way from its centroid to one of its rows. Of rows that are as
/// far along it those with lower fingerprints come first. REQUIRES: `into` is empty, `large` has
/// different rows.
void Partition::halve(uint32_t large, uint32_t into) {
    const std::vector<uint32_t> positions = positions_in(large);
    const auto row = [&](uint32_t position) { return context_.rows[members_[position]]; };
    const auto distance = [&](std::span<const float> a, std::span<const float> b) {
        context_.checkpoint.passed(a.size());
        return l2_squared(a.data(), b.data(), a.size());
    };
    size_t target = context_.random() % positions.size();
    for (size_t tried = 1; tried < positions.size(); ++tried) {
        if (distance(row(positions[target]), centroid(large)) > 0) break;
        target = (target + 1) % positions.size();
    }
    std::vector<Place> places;
    places.reserve(positions.size());
    for (const uint32_t position : positions) {
        const float along = distance(row(position), centroid(large)) -
                            distance(row(position), row(positions[target]));
        places.push_back({along, fingerprint(row(position)), position});
    }
    std::ranges::sort(places);
    for (size_t i = most_even_cut(places); i < places.size(); ++i)
        move_to(places[i].position, into);
    std::ranges::copy(row(positions[target]), centroids_.begin() + offset(into));
}

void Partition::move_to_means(const std::vector<bool>& ordinary) {
    const uint32_t dims = context_.rows.dims();
    std::vector<uint32_t> ordinary_sizes(sizes_.size());
    for (size_t i = 0; i < members_.size() && !ordinary.empty(); ++i)
        ordinary_sizes[cluster_of_[i]] += ordinary[i];
    const auto counts = [&](size_t i) {
        return ordinary.empty() || ordinary[i] || ordinary_sizes[cluster_of_[i]] == 0;
    };
    std::vector<double> sums(centroids_.size());
    std::vector<uint32_t> summed(sizes_.size());
    for (size_t i = 0; i < members_.size(); ++i) {
        if (!counts(i)) continue;
        ++summed[cluster_of_[i]];
        add_to_sums(context_.rows[members_[i]].data(), dims, &sums[offset(cluster_of_[i])]);
        context_.checkpoint.passed(dims);
    }
    for (size_t i = 0; i < centroids_.size(); ++i) {
        const uint32_t count = summed[i / dims];
        if (count > 0) centroids_[i] = static_cast<float>(sums[i] / count);
    }
}

void Partition::round_to_signs() {
    for (float& element : centroids_)
        element = element > 0 ? 1.0f : -1.0f;
}

}  // namespace lookalike

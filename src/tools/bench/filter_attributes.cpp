#include "tools/bench/filter_attributes.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

constexpr uint64_t kSeed = 20;
constexpr uint32_t kTrainingRows = 256;  // for one cluster
constexpr int kRounds = 10;

// The standard's distributions differ between libraries; its engines do not.
uint32_t draw(std::mt19937_64& random, size_t end) {
    return static_cast<uint32_t>(random() % end);
}

// The first `count` of a shuffle.
std::vector<uint32_t> sample(std::vector<uint32_t> members, size_t count, std::mt19937_64& random) {
    count = std::min(count, members.size());
    for (size_t i = 0; i < count; ++i)
        std::swap(members[i], members[i + draw(random, members.size() - i)]);
    members.resize(count);
    return members;
}

uint32_t nearest_centroid(const float* values, const std::vector<float>& centroids, uint32_t dims) {
    uint32_t nearest = 0;
    float least = std::numeric_limits<float>::infinity();
    for (uint32_t i = 0; i < centroids.size() / dims; ++i) {
        const float distance = l2_squared(values, &centroids[size_t{i} * dims], dims);
        if (distance < least) {
            least = distance;
            nearest = i;
        }
    }
    return nearest;
}

// One round of k-means. A centroid without rows stays where it is.
void move_centroids(const Rows& rows, const std::vector<uint32_t>& members,
                    std::vector<float>& centroids) {
    std::vector<double> sums(centroids.size());
    // Without the 0, GCC 14 warns of an overrun.
    std::vector<uint32_t> counts(centroids.size() / rows.dims, 0);
    for (const uint32_t id : members) {
        const uint32_t nearest = nearest_centroid(rows.row(id), centroids, rows.dims);
        ++counts[nearest];
        for (uint32_t i = 0; i < rows.dims; ++i)
            sums[size_t{nearest} * rows.dims + i] += rows.row(id)[i];
    }
    for (size_t i = 0; i < sums.size(); ++i) {
        if (counts[i / rows.dims] > 0)
            centroids[i] = static_cast<float>(sums[i] / counts[i / rows.dims]);
    }
}

std::vector<float> learn_centroids(const Rows& rows, const std::vector<uint32_t>& members,
                                   uint32_t count, std::mt19937_64& random) {
    const auto training = sample(members, size_t{count} * kTrainingRows, random);
    std::vector<float> centroids;
    for (size_t i = 0; i < count && i < training.size(); ++i)
        centroids.insert(centroids.end(), rows.row(training[i]), rows.row(training[i]) + rows.dims);
    for (int round = 0; round < kRounds; ++round)
        move_centroids(rows, training, centroids);
    return centroids;
}

}  // namespace

AttributeValues random_values(uint32_t count, uint32_t value_count, uint64_t seed) {
    std::mt19937_64 random(seed);
    AttributeValues values(count);
    for (uint16_t& value : values)
        value = static_cast<uint16_t>(draw(random, value_count));
    return values;
}

ClusterTree::ClusterTree(const Rows& rows) : dims_(rows.dims), finest_(rows.count()) {
    uint32_t parent_count = 1;
    for (const uint32_t cluster_count : kValueCounts) {
        std::vector<std::vector<uint32_t>> members(parent_count);
        for (uint32_t id = 0; id < rows.count(); ++id)
            members[finest_[id]].push_back(id);
        Level level{std::vector<float>(size_t{cluster_count} * dims_),
                    std::vector<uint8_t>(cluster_count)};
        for (uint32_t parent = 0; parent < parent_count; ++parent)
            split(rows, parent, members[parent], cluster_count / parent_count, level);
        levels_.push_back(std::move(level));
        parent_count = cluster_count;
    }
}

void ClusterTree::split(const Rows& rows, uint32_t parent, const std::vector<uint32_t>& members,
                        uint32_t branch_count, Level& level) {
    std::mt19937_64 random(kSeed + parent);
    const uint32_t first = parent * branch_count;
    const auto centroids = learn_centroids(rows, members, branch_count, random);
    std::ranges::copy(centroids, level.centroids.begin() + size_t{first} * dims_);
    for (const uint32_t id : members) {
        const uint32_t cluster = first + nearest_centroid(rows.row(id), centroids, dims_);
        finest_[id] = static_cast<uint16_t>(cluster);
        level.is_used[cluster] = true;
    }
}

AttributeValues ClusterTree::clusters(size_t level) const {
    const uint32_t width = kValueCounts.back() / kValueCounts[level];
    AttributeValues clusters(finest_);
    for (uint16_t& cluster : clusters)
        cluster = static_cast<uint16_t>(cluster / width);
    return clusters;
}

uint16_t ClusterTree::cluster_of(const float* values, size_t level) const {
    uint32_t cluster = 0, parent_count = 1;
    for (size_t i = 0; i <= level; ++i) {
        cluster = nearest_child(levels_[i], values, cluster, kValueCounts[i] / parent_count);
        parent_count = kValueCounts[i];
    }
    return static_cast<uint16_t>(cluster);
}

uint32_t ClusterTree::nearest_child(const Level& level, const float* values, uint32_t parent,
                                    uint32_t branch_count) const {
    uint32_t nearest = 0;
    float least = std::numeric_limits<float>::infinity();
    for (uint32_t child = parent * branch_count; child < (parent + 1) * branch_count; ++child) {
        const float distance = l2_squared(values, &level.centroids[size_t{child} * dims_], dims_);
        if (level.is_used[child] && distance < least) {
            least = distance;
            nearest = child;
        }
    }
    return nearest;
}

AttributeValues far_clusters(const Rows& rows, const AttributeValues& clusters, const Rows& queries,
                             const AttributeValues& near) {
    constexpr int kDraws = 8;
    std::mt19937_64 random(kSeed);
    AttributeValues far;
    for (uint32_t query = 0; query < queries.count(); ++query) {
        uint16_t farthest = 0;
        float greatest = -1;
        for (int drawn = 0; drawn < kDraws;) {
            const uint32_t id = draw(random, rows.count());
            if (clusters[id] == near[query]) continue;
            ++drawn;
            const float distance = l2_squared(queries.row(query), rows.row(id), rows.dims);
            if (distance > greatest) {
                greatest = distance;
                farthest = clusters[id];
            }
        }
        far.push_back(farthest);
    }
    return far;
}

}  // namespace lookalike

#include "core/cluster/silhouette.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

struct Nearest {
    size_t centroid = 0;
    float distance = std::numeric_limits<float>::infinity();  // squared, as the next
    float second = std::numeric_limits<float>::infinity();
};

Nearest nearest_two(const float* row, std::span<const float> centroids, uint32_t dims) {
    Nearest nearest;
    for (size_t i = 0; i < centroids.size() / dims; ++i) {
        const float distance = l2_squared(row, &centroids[i * dims], dims);
        if (distance < nearest.distance) {
            nearest = {i, distance, nearest.distance};
        } else if (distance < nearest.second) {
            nearest.second = distance;
        }
    }
    return nearest;
}

}  // namespace

uint32_t most_tried_clusters(uint64_t distinct_rows) {
    const double root = std::ceil(std::sqrt(static_cast<double>(distinct_rows)));
    return static_cast<uint32_t>(std::clamp<double>(root, 2, kMostTriedClusters));
}

double silhouette(std::span<const float> rows, std::span<const float> centroids, uint32_t dims,
                  void (*check)()) {
    const size_t row_count = rows.size() / dims;
    std::vector<uint32_t> sizes(centroids.size() / dims), cluster_of(row_count);
    std::vector<double> widths(row_count);
    for (size_t row = 0; row < row_count; ++row) {
        check();
        const Nearest nearest = nearest_two(&rows[row * dims], centroids, dims);
        ++sizes[nearest.centroid];
        cluster_of[row] = static_cast<uint32_t>(nearest.centroid);
        if (nearest.second > 0)
            widths[row] = 1 - std::sqrt(double{nearest.distance} / nearest.second);
    }
    double sum = 0;
    for (size_t row = 0; row < row_count; ++row) {
        if (sizes[cluster_of[row]] > 1) sum += widths[row];
    }
    return sum / static_cast<double>(row_count);
}

}  // namespace lookalike

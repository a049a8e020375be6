// How well clusters fit their rows: which number of clusters kmeans() takes where none is named.
#pragma once

#include <cstdint>
#include <span>

namespace lookalike {

/// The most clusters that are tried.
constexpr uint32_t kMostTriedClusters = 64;

/// The least is 2. All numbers up to 16, then steps of an eighth.
constexpr uint32_t next_tried_count(uint32_t count) {
    return count + (count < 16 ? 1 : count / 8);
}

/// The last that may be tried where so many rows differ: their square root, rounded up.
uint32_t most_tried_clusters(uint64_t distinct_rows);

/// Rousseeuw's silhouette, simplified: the mean over the rows of (b - a) / b, where a is the
/// distance to the nearest centroid and b the one to the second nearest. A row that is the only one
/// of its cluster counts 0, as does one that lies on two centroids. Above 0, at most 1.
/// `check` is called for each row and may throw. REQUIRES: at least one row, two centroids.
double silhouette(std::span<const float> rows, std::span<const float> centroids, uint32_t dims,
                  void (*check)());

}  // namespace lookalike

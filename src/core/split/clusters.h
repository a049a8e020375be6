// Parts the rows of one list into a few: k-means, small enough for a backend to run by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace lookalike {

struct ClusterOptions {
    uint32_t count = 2;
    uint32_t rounds = 10;
    uint32_t sample = 1024;  ///< rows a cluster that are learned from, at most
    uint64_t seed = 20240229;
    bool binary = false;  ///< rows are -1 and 1, and so shall centroids be
    /// Centroids to start from, count times dims floats; empty: they are looked for.
    std::span<const float> start = {};
};

struct Clusters {
    uint32_t dims = 0;
    std::vector<float> centroids;      ///< dims floats each, one after the other
    std::vector<uint32_t> cluster_of;  ///< of each row

    uint32_t count() const { return static_cast<uint32_t>(centroids.size() / dims); }
};

/// Parts rows by squared L2. Equal input and options give equal clusters on one machine.
///
/// - Equal rows (0 equals -0) are never parted. There are `count` clusters or, if fewer, as many as
///   different rows. Each has a row.
/// - Each has at least an eighth of the mean number of rows, unless rows are equal: of two clusters
///   each has a sixteenth of all rows as long as no row comes more often than 7 times in 8. Of more
///   clusters each has as many as long as no row is the most of any cluster. What rows a smaller
///   cluster would have had are with their nearest in others.
/// - A row mostly is in the cluster whose centroid is nearest. It is not where a cluster had to be
///   halved for the above, nor where the last step, which moves centroids to the means of their
///   rows, has moved the border past it.
/// - Outliers, about an eighth of the mean number of rows at most, do not move centroids unless a
/// cluster
///   has nothing else. They are rows more than twice as far from the middle as all others but so
///   many.
/// - Any floats will do. NaN counts as 0. Where elements are beyond 2^50, those beyond 2^50 times
///   what the middle one of all rows has as its largest count as that. Centroids are finite. If
///   `binary`, they are -1 where as many rows have -1 as 1, and two may be equal.
///
/// Calls `check`, unless it is empty, about once a millisecond; it may throw. Throws
/// std::bad_alloc. Allocates about 16 bytes a row, 12 an element of a centroid, and the size of the
/// rows where elements are beyond 2^50 or none reaches 2^-40. REQUIRES: rows.size() is a multiple
/// of dims; fewer than 2^32 rows; dims, count > 0.
Clusters find_clusters(std::span<const float> rows, uint32_t dims, const ClusterOptions& options,
                       const std::function<void()>& check);

}  // namespace lookalike

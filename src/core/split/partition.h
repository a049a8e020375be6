// Some rows, each in one of a fixed number of clusters: the steps that find_clusters() is made of.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "core/split/row_set.h"

namespace lookalike {

class Partition {
  public:
    /// All that it works with. REQUIRES: outlives the Partition.
    struct Context {
        const RowSet& rows;
        uint32_t count;  ///< clusters, some of which may be empty
        std::mt19937_64 random;
        Checkpoint& checkpoint;
    };

    /// Members are rows; at first all are in cluster 0. There may be fewer than `count` centroids.
    /// REQUIRES: at least one member, one centroid.
    Partition(Context& context, std::vector<uint32_t> members, std::vector<float> centroids);

    /// Each member goes to the nearest centroid. False if it was there already.
    bool assign();

    /// Halves large clusters where others are smaller than an eighth of the mean or empty, as long
    /// as equal rows stay together.
    void even_out();

    /// Each centroid moves to the mean of its members, of the ordinary ones if there are any.
    /// `ordinary` is empty if all are, else says of each member.
    void move_to_means(const std::vector<bool>& ordinary = {});

    /// All elements of centroids become -1 or 1.
    void round_to_signs();

    const std::vector<float>& centroids() const { return centroids_; }
    std::span<const float> centroid(uint32_t cluster) const;
    const std::vector<uint32_t>& members() const { return members_; }
    /// Of each member.
    const std::vector<uint32_t>& cluster_of() const { return cluster_of_; }
    /// Members of each cluster, `count` of them.
    const std::vector<uint32_t>& sizes() const { return sizes_; }

  private:
    size_t offset(uint32_t cluster) const;
    uint32_t nearest_but(std::span<const float> row, uint32_t left_out) const;
    std::vector<uint32_t> positions_in(uint32_t cluster) const;
    bool has_different_rows(uint32_t cluster) const;
    uint32_t largest_to_halve(uint32_t small) const;
    void move_to(size_t position, uint32_t cluster);
    void dissolve(uint32_t cluster);
    void halve(uint32_t large, uint32_t into);

    Context& context_;
    std::vector<uint32_t> members_;
    std::vector<float> centroids_;
    std::vector<uint32_t> cluster_of_;
    std::vector<uint32_t> sizes_;
    double least_size_;
};

}  // namespace lookalike

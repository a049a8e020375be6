// What kmeans() may take of its memory, from plain numbers.
#pragma once

#include <cstdint>

namespace lookalike {

/// Rows of a sample below which the clusters of a partition would be poorly learned, for each
/// cluster; and those beyond which they gain little. A sample of few clusters is larger.
constexpr uint64_t kLeastRowsPerCluster = 39;
constexpr uint64_t kMostRowsPerCluster = 256;
constexpr uint64_t kSampleOfFewClusters = 65536;

class KmeansBudget {
  public:
    /// `row_count` of the partition, NULLs among them.
    KmeansBudget(uint64_t bytes, uint64_t row_count, uint32_t dims)
        : bytes_(bytes), row_count_(row_count), dims_(dims) {}

    /// What is kept of each row of the partition: its key and its cluster.
    static uint64_t row_bytes(uint64_t row_count);

    /// How many rows so many clusters are learned from: of `kept_rows`, which are not NULL, as many
    /// as are worth it and fit. 0 when the least that is needed does not fit.
    uint64_t sample_rows(uint64_t kept_rows, uint64_t cluster_count) const;

    /// The memory with which sample_rows() is not 0, or a little less than there is.
    uint64_t least_bytes(uint64_t kept_rows, uint64_t cluster_count) const;

    /// Rows that travel to the worker at once; two such batches are under way.
    uint64_t batch_rows() const;

  private:
    uint64_t needed_bytes(uint64_t kept_rows, uint64_t cluster_count) const;
    uint64_t bytes_without_sample(uint64_t cluster_count) const;
    uint64_t bytes_per_sampled_row() const;

    uint64_t bytes_;
    uint64_t row_count_;
    uint32_t dims_;
};

}  // namespace lookalike

#include "core/cluster/kmeans_budget.h"

#include <algorithm>

#include "core/cluster/row_order.h"
#include "core/protocol/worker.h"

namespace lookalike {
namespace {

constexpr uint64_t kMostBatchRows = 8192;
constexpr uint64_t kBatchShare = 32;  // of the memory
constexpr uint64_t kBatchAnswerBytes = 2 * (sizeof(uint32_t) + sizeof(float));
constexpr uint64_t kFileBytes = 64 * 1024;  // the buffer of the file that holds the rows, and a row

}  // namespace

uint64_t KmeansBudget::row_bytes(uint64_t row_count) {
    return row_count * (sizeof(RowKey) + sizeof(int32_t));
}

uint64_t KmeansBudget::batch_rows() const {
    const uint64_t row_bytes = sizeof(float) * uint64_t{dims_};
    const uint64_t rows = std::clamp<uint64_t>(bytes_ / kBatchShare / row_bytes, 1, kMostBatchRows);
    return std::min(rows, std::max<uint64_t>(row_count_, 1));
}

uint64_t KmeansBudget::bytes_without_sample(uint64_t cluster_count) const {
    // Centroids lie in the shared area and here; worker_training_bytes() counts the worker's own.
    const uint64_t centroid_bytes = 2 * cluster_count * dims_ * sizeof(float);
    const uint64_t batch_bytes =
        2 * batch_rows() * (dims_ * sizeof(float) + kBatchAnswerBytes) + 8 * kWorkerAlignment;
    return row_bytes(row_count_) + kFileBytes + centroid_bytes + batch_bytes +
           worker_training_bytes(0, dims_, cluster_count);
}

uint64_t KmeansBudget::bytes_per_sampled_row() const {
    return dims_ * sizeof(float) + sizeof(SampledRow) + worker_training_bytes(16, dims_, 0) / 16 -
           worker_training_bytes(0, dims_, 0) / 16;
}

uint64_t KmeansBudget::needed_bytes(uint64_t kept_rows, uint64_t cluster_count) const {
    const uint64_t rows = std::min(kept_rows, kLeastRowsPerCluster * cluster_count);
    return bytes_without_sample(cluster_count) + rows * bytes_per_sampled_row();
}

// Batches grow with the memory, by less than it grows.
uint64_t KmeansBudget::least_bytes(uint64_t kept_rows, uint64_t cluster_count) const {
    KmeansBudget budget = *this;
    uint64_t needed = budget.needed_bytes(kept_rows, cluster_count);
    while (needed > budget.bytes_) {
        budget.bytes_ = needed;
        needed = budget.needed_bytes(kept_rows, cluster_count);
    }
    return needed;
}

uint64_t KmeansBudget::sample_rows(uint64_t kept_rows, uint64_t cluster_count) const {
    if (bytes_ < least_bytes(kept_rows, cluster_count)) return 0;
    const uint64_t fitting =
        (bytes_ - bytes_without_sample(cluster_count)) / bytes_per_sampled_row();
    const uint64_t wanted = std::max(kMostRowsPerCluster * cluster_count, kSampleOfFewClusters);
    return std::min({kept_rows, fitting, wanted});
}

}  // namespace lookalike

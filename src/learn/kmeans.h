// Learning of list centroids: k-means over FAISS.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

/// Above this many lists k-means runs in two levels: square root of the lists first, then each
/// part.
constexpr size_t kOneLevelLists = 4096;

struct KmeansOptions {
    size_t list_count = 1;
    int iteration_count = 30;
    LearnAim aim = LearnAim::kLists;
    int seed = 20240229;
    size_t one_level_lists = kOneLevelLists;
    /// Called after every step with the steps finished and the steps in all. May throw to stop.
    std::function<void(size_t step, size_t step_count)> progress = nullptr;
};

/// Returns min(list_count, number of distinct rows) centroids of rows.dims floats each, one after
/// the other. Equal input, options and thread count give equal centroids. Clusters that no longer
/// change end sooner than after iteration_count. Throws InvalidRows, std::bad_alloc or FAISS's
/// exception. REQUIRES: rows.row_count in 1 .. 2^32 - 1, list_count > 0, iteration_count > 0.
std::vector<float> train_centroids(const RowsView& rows, const KmeansOptions& options);

}  // namespace lookalike

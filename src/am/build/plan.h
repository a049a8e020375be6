// What CREATE INDEX decides from the number of rows and from maintenance_work_mem: shared with the
// functions that tell it beforehand and judge it afterwards.
#pragma once

#include "pg/server.h"

#include <algorithm>
#include <cmath>

#include "core/measure/query_draw.h"

namespace lookalike {

/// Up to so many rows are one list: its answer is exact, and it needs no worker.
constexpr uint64 kRowsOfOneList = 5000;

/// Iterations of k-means.
constexpr uint32 kLearnIterations = 30;

/// Vectors above are projected for learning: after the rotation any coordinates are a random
/// projection.
constexpr uint32 kMaxLearnDims = 1024;

constexpr QueryCounts kMostQueries{.all_rows = 300, .near_lists = 1000};
constexpr QueryCounts kFewestQueries{.all_rows = 50, .near_lists = 300};

/// maintenance_work_mem in bytes; each step says what share of it it takes.
inline uint64 build_memory_bytes() {
    return static_cast<uint64>(maintenance_work_mem) * 1024;
}

/// Queries by which an index measures itself: by 3e10 multiplications, a few seconds, unless that
/// were too few; and so many that each kind takes an eighth of the memory at most.
inline QueryCounts query_counts(uint64 rows, uint32 code_dims, uint64 lists) {
    const double of_all_rows = 2e10;
    const double near_share =
        static_cast<double>(near_list_count(lists)) / static_cast<double>(lists);
    const double of_near_lists = 1e10 / near_share;
    const double row_cost = static_cast<double>(std::max<uint64>(rows, 1)) * code_dims;
    const auto count = [&](double work, uint64 fewest, uint64 most, uint64 bytes) {
        const double wanted = std::clamp(work / row_cost, double{1} * fewest, double{1} * most);
        const uint64 fitting = build_memory_bytes() / 8 / (sizeof(float) * code_dims + bytes);
        return std::min(static_cast<uint64>(wanted), fitting + 1);
    };
    return {count(of_all_rows, kFewestQueries.all_rows, kMostQueries.all_rows,
                  Calibrator::kBytesPerQuery),
            count(of_near_lists, kFewestQueries.near_lists, kMostQueries.near_lists,
                  Calibrator::kBytesPerNearQuery)};
}

/// Rows travel to their lists in batches of so many bytes. Two are under way, each of them here and
/// in the area shared with the worker.
inline uint64 batch_memory_bytes() {
    return std::min<uint64>(4 * 1024 * 1024, build_memory_bytes() / 16);
}

/// What lives beside the sort of the entries while rows are assigned: the batches, the centroids
/// here, in the shared area and in the worker, what FAISS computes in, and what the
/// calibration keeps of each query.
inline uint64 assign_memory_bytes(uint64 list_count, uint32 code_dims) {
    constexpr uint64 kFaissBytes = 4 * 1024 * 1024;
    constexpr uint64 kCalibrationBytes = kMostQueries.all_rows * Calibrator::kBytesPerQuery +
                                         kMostQueries.near_lists * Calibrator::kBytesPerNearQuery;
    const uint64 centroid_bytes = sizeof(float) * list_count * code_dims;
    if (list_count == 1) return batch_memory_bytes() + centroid_bytes;
    return 4 * batch_memory_bytes() + 3 * centroid_bytes + kFaissBytes + kCalibrationBytes;
}

/// What the sort is allowed: three quarters of what is left, because it takes a little more than
/// that and does not get its memory back in one piece to merge in; an eighth of all at least.
inline uint64 sort_memory_bytes(uint64 list_count, uint32 code_dims) {
    const uint64 all = build_memory_bytes();
    const uint64 rest = std::min(all, assign_memory_bytes(list_count, code_dims));
    return std::max((all - rest) / 4 * 3, all / 8);
}

/// The number of lists that so many rows want, when the index does not say.
inline uint64 wanted_list_count(uint64 rows) {
    if (rows <= kRowsOfOneList) return 1;
    return static_cast<uint64>(std::sqrt(static_cast<double>(rows)));
}

/// How many lists' centroids the build's memory takes, each of `code_dims` floats.
inline uint64 fitting_list_count(uint32 code_dims) {
    return std::max<uint64>(1, build_memory_bytes() / 4 / (sizeof(float) * uint64{code_dims}));
}

/// Rows of a sample that fit: they take a third of the memory, and once more in their rotated form.
/// A mean wants some, however little memory there is.
inline uint64 fitting_sample_rows(uint32 dims) {
    return std::max<uint64>(20, build_memory_bytes() / 3 / (sizeof(float) * uint64{dims}));
}

/// Rows that the sample should have: k-means gains little beyond 256 rows a list. A table that
/// fits one list is taken whole.
inline uint64 sample_size(uint32 dims, uint64 lists) {
    const uint64 useful = std::max<uint64>(256 * lists, 2 * kRowsOfOneList);
    return std::min(fitting_sample_rows(dims), useful);
}

}  // namespace lookalike

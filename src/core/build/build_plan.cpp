#include "core/build/build_plan.h"

#include <algorithm>
#include <cmath>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Multiplications of vectors that measuring may take, for either kind of queries.
constexpr double kWorkOfAllRows = 2e10;
constexpr double kWorkOfNearLists = 1e10;

// The number of queries that so much work pays for, within bounds.
uint64_t paid_count(double work, double query_cost, uint64_t fewest, uint64_t most) {
    return static_cast<uint64_t>(
        std::clamp(work / query_cost, double{1} * fewest, double{1} * most));
}

}  // namespace

double upkeep_distances(uint64_t rows) {
    constexpr double kOfEach = 200;
    constexpr double kOfAll = 2e6;
    return kOfEach + kOfAll / static_cast<double>(std::max<uint64_t>(rows, 1));
}

QueryCounts upkeep_query_counts(uint64_t vector_bytes, uint64_t rows, uint64_t list_count) {
    constexpr uint64_t kBytes = 6 * 1024 * 1024;
    constexpr double kShareOfAllRows = 2.0 / 3;
    const double distances = upkeep_distances(rows);
    const uint64_t near = near_list_count(list_count);
    const uint64_t all_rows =
        std::min({static_cast<uint64_t>(kShareOfAllRows * distances), kMostQueries.all_rows,
                  kBytes / 2 / (vector_bytes + Calibrator::kBytesPerQuery)});
    // Each list knows which near queries it has.
    const uint64_t near_bytes =
        vector_bytes + Calibrator::kBytesPerNearQuery + 2 * sizeof(uint32_t) * near;
    const uint64_t left = static_cast<uint64_t>(distances) - all_rows;
    return {.all_rows = all_rows,
            .near_lists = std::min(
                {left * list_count / near, kMostQueries.near_lists, kBytes / 2 / near_bytes})};
}

uint64_t wanted_list_count(uint64_t rows) {
    if (rows <= kRowsOfOneList) return 1;
    return static_cast<uint64_t>(std::sqrt(static_cast<double>(rows)));
}

uint64_t BuildBudget::fitting_list_count(uint32_t code_dims) const {
    return std::max<uint64_t>(1, bytes_ / 4 / (sizeof(float) * uint64_t{code_dims}));
}

uint64_t BuildBudget::list_count(uint64_t rows, uint32_t code_dims) const {
    return std::min(wanted_list_count(rows), fitting_list_count(code_dims));
}

uint64_t BuildBudget::fitting_sample_rows(uint32_t dims) const {
    return std::max<uint64_t>(20, bytes_ / 3 / (sizeof(float) * uint64_t{dims}));
}

uint64_t BuildBudget::sample_rows(uint32_t dims, uint64_t list_count, bool are_words) const {
    const uint64_t of_each = are_words ? 64 : 256;
    const uint64_t useful = std::max<uint64_t>(of_each * list_count, 2 * kRowsOfOneList);
    return std::min(fitting_sample_rows(dims), useful);
}

uint64_t BuildBudget::bytes_to_learn(uint64_t list_count, uint64_t rows, uint32_t dims,
                                     uint32_t code_dims) {
    // A sample that outgrows its memory is thinned out to four fifths of it, give or take what
    // chance does.
    const auto drawn = static_cast<double>(rows);
    const auto room = static_cast<uint64_t>(std::ceil((drawn + 4 * std::sqrt(drawn)) * 5 / 4));
    return std::max(4 * sizeof(float) * list_count * code_dims, 3 * sizeof(float) * room * dims);
}

QueryCounts BuildBudget::query_counts(uint64_t rows, uint32_t code_dims,
                                      uint64_t list_count) const {
    const double near_share =
        static_cast<double>(near_list_count(list_count)) / static_cast<double>(list_count);
    const double query_cost = static_cast<double>(std::max<uint64_t>(rows, 1)) * code_dims;
    const auto fitting = [&](uint64_t bytes) {
        return bytes_ / 8 / (sizeof(float) * code_dims + bytes) + 1;
    };
    const uint64_t all_rows =
        paid_count(kWorkOfAllRows, query_cost, kFewestQueries.all_rows, kMostQueries.all_rows);
    const uint64_t near_lists = paid_count(kWorkOfNearLists / near_share, query_cost,
                                           kFewestQueries.near_lists, kMostQueries.near_lists);
    return {.all_rows = std::min<uint64_t>(all_rows, fitting(Calibrator::kBytesPerQuery)),
            .near_lists = std::min<uint64_t>(near_lists, fitting(Calibrator::kBytesPerNearQuery))};
}

uint64_t BuildBudget::batch_bytes() const {
    return std::min<uint64_t>(4 * 1024 * 1024, bytes_ / 16);
}

uint64_t BuildBudget::assign_bytes(uint64_t list_count, uint32_t code_dims) const {
    constexpr uint64_t kFaissBytes = 4 * 1024 * 1024;
    // query_counts() gives either kind an eighth at most.
    const auto kind_bytes = [this](uint64_t count, uint64_t query_bytes) {
        return std::min(count * query_bytes, bytes_ / 8);
    };
    const uint64_t calibration_bytes =
        kind_bytes(kMostQueries.all_rows, Calibrator::kBytesPerQuery) +
        kind_bytes(kMostQueries.near_lists, Calibrator::kBytesPerNearQuery);
    const uint64_t centroid_bytes = sizeof(float) * list_count * code_dims;
    if (list_count == 1) return batch_bytes() + centroid_bytes;
    return 4 * batch_bytes() + 3 * centroid_bytes + kFaissBytes + calibration_bytes;
}

uint64_t BuildBudget::sort_bytes(uint64_t list_count, uint32_t code_dims) const {
    const uint64_t rest = std::min(bytes_, assign_bytes(list_count, code_dims));
    return std::max((bytes_ - rest) / 4 * 3, bytes_ / 8);
}

}  // namespace lookalike

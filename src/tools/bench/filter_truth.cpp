#include "tools/bench/filter_truth.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/vector/distance_kernels.h"
#include "tools/bench/nearest.h"

namespace lookalike {

FilterTruth::FilterTruth(const Dataset& set, std::vector<FilterCondition> conditions,
                         uint32_t neighbour_count)
    : set_(set),
      conditions_(std::move(conditions)),
      neighbour_count_(neighbour_count),
      query_count_(static_cast<uint32_t>(conditions_.front().wanted.size())),
      answers_(conditions_.size() * query_count_) {
    std::atomic<uint32_t> next = 0;
    std::vector<std::jthread> threads;
    for (uint32_t i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
        threads.emplace_back([&] {
            for (uint32_t query = next++; query < query_count_; query = next++)
                compute(query);
        });
    }
}

void FilterTruth::compute(uint32_t query) {
    const Rows& rows = set_.base;
    const float* values = set_.queries.row(query);
    std::vector<Nearest> nearest(conditions_.size(), Nearest(neighbour_count_));
    std::vector<uint32_t> match_counts(conditions_.size());
    for (uint32_t id = 0; id < rows.count(); ++id) {
        const float distance = l2_squared(values, rows.row(id), rows.dims);
        for (size_t i = 0; i < conditions_.size(); ++i) {
            if ((*conditions_[i].attribute)[id] != conditions_[i].wanted[query]) continue;
            ++match_counts[i];
            nearest[i].offer(distance, id);
        }
    }
    for (size_t i = 0; i < conditions_.size(); ++i) {
        Answer& answer = answers_[i * query_count_ + query];
        answer.match_count = match_counts[i];
        const uint32_t findable = std::min(neighbour_count_, match_counts[i]);
        if (findable > 0)
            answer.last_distance = nearest[i].exact_distances(values, rows)[findable - 1];
    }
}

double FilterTruth::recall(size_t condition, uint32_t query, std::vector<uint32_t> ids) const {
    const auto& [attribute, wanted] = conditions_[condition];
    const uint32_t findable = std::min(neighbour_count_, match_count(condition, query));
    if (findable == 0) return 1;
    // Room for the rounding of float distances, of which the index and the data have both.
    const double limit = answer(condition, query).last_distance * (1 + 1e-6);
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    const auto is_near = [&](uint32_t id) {
        return id < set_.base.count() && (*attribute)[id] == wanted[query] &&
               exact_distance(set_.queries.row(query), set_.base.row(id), set_.base.dims) <= limit;
    };
    const auto found = static_cast<uint32_t>(std::ranges::count_if(ids, is_near));
    return static_cast<double>(std::min(found, findable)) / findable;
}

}  // namespace lookalike

#include "tools/bench/ground_truth.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <thread>

#include "core/vector/distance_kernels.h"
#include "tools/bench/nearest.h"

namespace lookalike {

GroundTruth::GroundTruth(const Dataset& set, const std::filesystem::path& cache) : set_(set) {
    distances_.resize(size_t{set.queries.count()} * kTruthDepth,
                      std::numeric_limits<double>::infinity());
    const uint32_t counts[2] = {set.base.count(), set.queries.count()};
    const auto bytes = static_cast<std::streamsize>(distances_.size() * sizeof(double));
    uint32_t cached_counts[2] = {};
    std::ifstream in(cache, std::ios::binary);
    if (in.read(reinterpret_cast<char*>(cached_counts), sizeof(counts)) &&
        std::ranges::equal(cached_counts, counts) &&
        in.read(reinterpret_cast<char*>(distances_.data()), bytes))
        return;
    compute_all();
    std::ofstream out(cache, std::ios::binary);
    out.write(reinterpret_cast<const char*>(counts), sizeof(counts));
    out.write(reinterpret_cast<const char*>(distances_.data()), bytes);
}

void GroundTruth::compute_all() {
    const uint32_t thread_count = std::max(1u, std::thread::hardware_concurrency());
    const uint32_t query_count = set_.queries.count();
    std::vector<std::jthread> threads;
    for (uint32_t i = 0; i < thread_count; ++i) {
        const auto share = [&](uint64_t part) {
            return static_cast<uint32_t>(query_count * part / thread_count);
        };
        threads.emplace_back([this, begin = share(i), end = share(i + 1)] { compute(begin, end); });
    }
}

void GroundTruth::compute(uint32_t begin, uint32_t end) {
    constexpr uint32_t kBlock = 512;  // base rows that stay in the cache while queries pass over
    std::vector<Nearest> nearest(end - begin, Nearest(kTruthDepth));
    const uint32_t dims = set_.base.dims;
    for (uint32_t first = 0; first < set_.base.count(); first += kBlock) {
        const uint32_t last = std::min(first + kBlock, set_.base.count());
        for (uint32_t query = begin; query < end; ++query) {
            const float* values = set_.queries.row(query);
            for (uint32_t id = first; id < last; ++id)
                nearest[query - begin].offer(l2_squared(values, set_.base.row(id), dims), id);
        }
    }
    for (uint32_t query = begin; query < end; ++query) {
        const auto exact =
            nearest[query - begin].exact_distances(set_.queries.row(query), set_.base);
        std::ranges::copy(exact, distances_.begin() + size_t{query} * kTruthDepth);
    }
}

double GroundTruth::recall(uint32_t query, std::vector<uint32_t> ids, uint32_t k) const {
    // Room for the rounding of float distances, of which the index and the data have both.
    const double limit = distance(query, k) * (1 + 1e-6);
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    uint32_t found = 0;
    for (const uint32_t id : ids) {
        if (id >= set_.base.count()) continue;
        found +=
            exact_distance(set_.queries.row(query), set_.base.row(id), set_.base.dims) <= limit;
    }
    return static_cast<double>(std::min(found, k)) / k;
}

}  // namespace lookalike

#include "tools/bench/growth_truth.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/vector/distance_kernels.h"
#include "tools/bench/nearest.h"

namespace lookalike {
namespace {

// FNV-1a: another order or other sizes have another truth.
uint64_t fingerprint(const std::vector<uint32_t>& numbers, uint64_t hash) {
    for (const uint32_t number : numbers)
        hash = (hash ^ number) * 0x100000001b3;
    return hash;
}

}  // namespace

GrowthTruth::GrowthTruth(const Dataset& set, const std::vector<uint32_t>& order,
                         std::vector<uint32_t> sizes, const std::filesystem::path& cache)
    : set_(set), sizes_(std::move(sizes)) {
    const uint32_t query_count = set.queries.count();
    last_distances_.resize(sizes_.size() * query_count);
    const uint64_t key =
        fingerprint({query_count}, fingerprint(sizes_, fingerprint(order, 0xcbf29ce484222325)));
    const auto bytes = static_cast<std::streamsize>(last_distances_.size() * sizeof(double));
    uint64_t cached_key = 0;
    std::ifstream in(cache, std::ios::binary);
    if (in.read(reinterpret_cast<char*>(&cached_key), sizeof(cached_key)) && cached_key == key &&
        in.read(reinterpret_cast<char*>(last_distances_.data()), bytes))
        return;
    {
        const uint32_t thread_count = std::max(1u, std::thread::hardware_concurrency());
        std::vector<std::jthread> threads;
        for (uint64_t i = 0; i < thread_count; ++i) {
            threads.emplace_back([this, &order, first = query_count * i / thread_count,
                                  last = query_count * (i + 1) / thread_count] {
                compute(order, static_cast<uint32_t>(first), static_cast<uint32_t>(last));
            });
        }
    }
    std::ofstream out(cache, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&key), sizeof(key));
    out.write(reinterpret_cast<const char*>(last_distances_.data()), bytes);
}

void GrowthTruth::compute(const std::vector<uint32_t>& order, uint32_t first_query,
                          uint32_t last_query) {
    constexpr uint32_t kBlock = 512;  // rows that stay in the cache while queries pass over
    std::vector<Nearest> nearest(last_query - first_query, Nearest(kGrowthNeighbours));
    uint32_t first = 0;
    for (size_t i = 0; i < sizes_.size(); ++i) {
        while (first < sizes_[i]) {
            const uint32_t last = std::min(first + kBlock, sizes_[i]);
            for (uint32_t query = first_query; query < last_query; ++query) {
                const float* values = set_.queries.row(query);
                for (uint32_t at = first; at < last; ++at) {
                    nearest[query - first_query].offer(
                        l2_squared(values, set_.base.row(order[at]), set_.base.dims), order[at]);
                }
            }
            first = last;
        }
        for (uint32_t query = first_query; query < last_query; ++query) {
            last_distance(i, query) = nearest[query - first_query]
                                          .exact_distances(set_.queries.row(query), set_.base)
                                          .back();
        }
    }
}

double GrowthTruth::recall(uint32_t size, uint32_t query, std::vector<uint32_t> ids) const {
    const auto size_index = static_cast<size_t>(std::ranges::find(sizes_, size) - sizes_.begin());
    // Room for the rounding of float distances, of which the index and the data have both.
    const double limit = last_distances_[size_index * set_.queries.count() + query] * (1 + 1e-6);
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    const auto found = std::ranges::count_if(ids, [&](uint32_t id) {
        return id < set_.base.count() &&
               exact_distance(set_.queries.row(query), set_.base.row(id), set_.base.dims) <= limit;
    });
    const uint32_t wanted = std::min(size, kGrowthNeighbours);
    return wanted == 0 ? 1 : std::min(1.0, static_cast<double>(found) / wanted);
}

}  // namespace lookalike

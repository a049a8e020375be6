#include "row_pool.h"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>
#include <stdexcept>

namespace lookalike {
namespace {

constexpr uint64_t kSeed = 20240607;

uint64_t hash_of(std::span<const float> row) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const float value : row) {
        hash = (hash ^ std::bit_cast<uint32_t>(value)) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

}  // namespace

// std::shuffle gives another order with another standard library.
std::vector<uint32_t> shuffled_order(uint32_t count) {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    std::mt19937_64 random(kSeed);
    for (uint32_t i = count; i > 1; --i)
        std::swap(order[i - 1], order[random() % i]);
    return order;
}

void RowPool::add(std::span<const float> row) {
    if (std::ranges::all_of(row, [](float value) { return value == 0; })) return;
    if (!seen_.insert(hash_of(row)).second) return;
    rows_.values.insert(rows_.values.end(), row.begin(), row.end());
}

void RowPool::write(const std::filesystem::path& folder, const std::string& metric,
                    const Split& split) {
    const uint32_t held_back = split.query_count + split.insert_count;
    if (count() <= held_back) throw std::runtime_error("too few rows for " + folder.string());
    const auto order = shuffled_order(count());
    const auto part = [&](uint32_t begin, uint32_t wanted) {
        Rows rows;
        rows.dims = rows_.dims;
        const uint32_t end = begin + std::min(wanted, count() - begin);
        for (uint32_t i = begin; i < end; ++i) {
            const float* row = rows_.row(order[i]);
            rows.values.insert(rows.values.end(), row, row + rows_.dims);
        }
        return rows;
    };
    Dataset set;
    set.queries = part(0, split.query_count);
    set.inserts = part(split.query_count, split.insert_count);
    set.base = part(held_back, split.base_limit);
    write_dataset(folder, metric, set, element_);
}

void write_dataset(const std::filesystem::path& folder, const std::string& metric,
                   const Dataset& set, RowElement element) {
    std::filesystem::create_directories(folder);
    write_rows(folder / "queries.rows", set.queries, element);
    write_rows(folder / "inserts.rows", set.inserts, element);
    write_rows(folder / "base.rows", set.base, element);
    // Last: a folder without it is one that was not finished.
    std::ofstream(folder / "metric") << metric << '\n';
}

}  // namespace lookalike

#include "core/cluster/row_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/vector/mixing.h"

namespace lookalike {
namespace {

constexpr uint64_t kComparisonsBetweenChecks = uint64_t{1} << 20;

/// A random number for each copy of each row.
uint64_t rank_of(uint64_t hash, uint64_t copy) {
    return mixed(hash + (copy + 1) * kMixingStep);
}

/// Ranks below it are so few that the sample will nearly never overflow.
uint64_t rank_limit(uint64_t row_count, uint64_t wanted) {
    if (wanted >= row_count) return std::numeric_limits<uint64_t>::max();
    const double enough = std::max(
        static_cast<double>(wanted) - 3 * std::sqrt(static_cast<double>(wanted)), wanted / 2.0);
    return static_cast<uint64_t>(std::ldexp(enough / static_cast<double>(row_count), 64));
}

}  // namespace

void sort_keys(std::span<RowKey> keys, void (*check)()) {
    uint64_t comparisons = 0;
    std::ranges::sort(keys, [&](const RowKey& a, const RowKey& b) {
        if (++comparisons % kComparisonsBetweenChecks == 0) check();
        return a.hash != b.hash ? a.hash < b.hash : a.row < b.row;
    });
}

uint64_t distinct_count(std::span<const RowKey> keys) {
    uint64_t count = keys.empty() ? 0 : 1;
    for (size_t i = 1; i < keys.size(); ++i)
        count += keys[i].hash != keys[i - 1].hash;
    return count;
}

uint64_t choose_sample(std::span<const RowKey> keys, std::span<SampledRow> sample) {
    const uint64_t limit = rank_limit(keys.size(), sample.size());
    uint64_t copy = 0;
    size_t count = 0;
    for (size_t i = 0; i < keys.size() && count < sample.size(); ++i) {
        copy = i > 0 && keys[i].hash == keys[i - 1].hash ? copy + 1 : 0;
        if (limit < std::numeric_limits<uint64_t>::max() && rank_of(keys[i].hash, copy) >= limit)
            continue;
        sample[count] = {keys[i].row, static_cast<uint32_t>(count)};
        ++count;
    }
    if (count == 0 && !keys.empty() && !sample.empty()) sample[count++] = {keys[0].row, 0};
    std::ranges::sort(sample.first(count), {}, &SampledRow::row);
    return count;
}

uint32_t make_cluster_of_each(std::span<const RowKey> keys, std::span<int32_t> clusters) {
    int32_t count = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
        if (i == 0 || keys[i].hash != keys[i - 1].hash) ++count;
        clusters[keys[i].row] = count - 1;
    }
    return static_cast<uint32_t>(count);
}

uint32_t number_by_size(std::span<const RowKey> keys, uint32_t count, std::span<int32_t> clusters) {
    std::vector<uint32_t> sizes(count), by_first;
    by_first.reserve(count);
    for (const RowKey& key : keys) {
        const int32_t cluster = clusters[key.row];
        if (cluster >= 0 && ++sizes[static_cast<size_t>(cluster)] == 1)
            by_first.push_back(static_cast<uint32_t>(cluster));
    }
    std::vector<uint32_t> places(by_first.size()), numbers(count);
    for (uint32_t place = 0; place < places.size(); ++place)
        places[place] = place;
    std::ranges::sort(places, [&](uint32_t a, uint32_t b) {
        const uint32_t size_a = sizes[by_first[a]], size_b = sizes[by_first[b]];
        return size_a != size_b ? size_a > size_b : a < b;
    });
    for (uint32_t number = 0; number < places.size(); ++number)
        numbers[by_first[places[number]]] = number;
    for (const RowKey& key : keys) {
        int32_t& cluster = clusters[key.row];
        if (cluster >= 0) cluster = static_cast<int32_t>(numbers[static_cast<size_t>(cluster)]);
    }
    return static_cast<uint32_t>(places.size());
}

}  // namespace lookalike

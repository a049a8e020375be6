#include "core/cluster/dbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/vector/distance.h"

namespace lookalike {
namespace {

void go_on() {}

using Clusters = std::vector<int32_t>;

struct Sample {
    RowForm form;
    std::vector<uint8_t> bytes;

    size_t count() const { return bytes.size() / form.bytes(); }
    DescriptorView view(size_t i) const { return {form.kind, form.dims, &bytes[i * form.bytes()]}; }
    Clusters find(const DbscanOptions& options) const {
        std::vector<uint8_t> copy = bytes;
        Clusters clusters(count());
        const uint32_t found =
            find_dense_clusters({copy.data(), form, count()}, options, clusters, go_on);
        EXPECT_EQ(static_cast<int32_t>(found), std::ranges::max(clusters) + 1);
        return clusters;
    }
};

Sample reals(uint32_t dims, const std::vector<float>& values) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    return {{Kind::kReal, dims, false}, {bytes, bytes + values.size() * sizeof(float)}};
}

double distance(Metric metric, const DescriptorView& a, const DescriptorView& b) {
    return metric == Metric::kL2        ? l2_distance(a, b)
           : metric == Metric::kCosine  ? cosine_distance(a, b)
           : metric == Metric::kHamming ? hamming_distance(a, b)
                                        : jaccard_distance(a, b);
}

/// By the definition. A row at the border of several clusters may be in any of the nearest.
void expect_dense_clusters(const Sample& sample, const DbscanOptions& options,
                           const Clusters& clusters) {
    const size_t count = sample.count();
    std::vector<std::vector<double>> distances(count, std::vector<double>(count));
    std::vector<bool> is_core(count);
    for (size_t i = 0; i < count; ++i) {
        uint32_t neighbours = 0;
        for (size_t j = 0; j < count; ++j) {
            distances[i][j] = distance(options.metric, sample.view(i), sample.view(j));
            neighbours += i == j || distances[i][j] <= options.radius;
        }
        is_core[i] = neighbours >= options.min_rows;
    }
    std::vector<size_t> component(count);
    size_t components = 0;
    std::vector<bool> seen(count);
    for (size_t i = 0; i < count; ++i) {
        if (!is_core[i] || seen[i]) continue;
        std::vector<size_t> open{i};
        seen[i] = true;
        ++components;
        while (!open.empty()) {
            const size_t row = open.back();
            open.pop_back();
            component[row] = components;
            for (size_t j = 0; j < count; ++j) {
                if (!is_core[j] || seen[j] || distances[row][j] > options.radius) continue;
                seen[j] = true;
                open.push_back(j);
            }
        }
    }
    std::map<size_t, int32_t> number_of;
    for (size_t i = 0; i < count; ++i) {
        if (!is_core[i]) continue;
        const auto known = number_of.try_emplace(component[i], clusters[i]).first;
        ASSERT_EQ(known->second, clusters[i]);
    }
    std::set<int32_t> numbers;
    for (const auto& [of, number] : number_of)
        numbers.insert(number);
    ASSERT_EQ(numbers.size(), components);
    for (size_t i = 0; i < count; ++i) {
        if (is_core[i]) continue;
        double nearest = options.radius;
        std::set<int32_t> allowed{-1};
        for (size_t j = 0; j < count; ++j) {
            if (!is_core[j] || distances[i][j] > nearest) continue;
            if (distances[i][j] < nearest || allowed.contains(-1)) allowed.clear();
            nearest = distances[i][j];
            allowed.insert(clusters[j]);
        }
        ASSERT_TRUE(allowed.contains(clusters[i])) << i;
    }
}

Sample random_sample(Kind kind, uint32_t dims, size_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    Sample sample{{kind, dims, false}, {}};
    if (kind == Kind::kReal) {
        std::vector<float> values(count * dims);
        for (size_t i = 0; i < values.size(); ++i)
            values[i] = normal(random) + static_cast<float>(3 * (i / dims % 7));
        return reals(dims, values);
    }
    sample.bytes.resize(count * sample.form.bytes());
    for (size_t i = 0; i < sample.bytes.size(); ++i)
        sample.bytes[i] = static_cast<uint8_t>(random() & random() & (i % 3 ? 0xff : 0x0f));
    return sample;
}

TEST(Dbscan, FindsWhatTheDefinitionSays) {
    const std::vector<std::pair<Metric, std::vector<double>>> radii{
        {Metric::kL2, {0, 0.5, 1, 2, 100}},
        {Metric::kCosine, {0, 1e-4, 1e-3, 0.01, 2}},
        {Metric::kHamming, {0, 2, 4, 8, 64}},
        {Metric::kJaccard, {0, 0.2, 0.4, 0.6, 1}}};
    for (const auto& [metric, values] : radii) {
        const Kind kind = is_binary(metric) ? Kind::kBit : Kind::kReal;
        for (const uint32_t dims : {3u, 40u}) {
            const Sample sample = random_sample(kind, kind == Kind::kBit ? 8 * dims : dims, 400, 9);
            for (const double radius : values) {
                for (const uint32_t min_rows : {1u, 2u, 5u, 30u}) {
                    const DbscanOptions options{metric, radius, min_rows};
                    expect_dense_clusters(sample, options, sample.find(options));
                }
            }
        }
    }
}

TEST(Dbscan, BordersJoinTheNearestCoreAndNoiseNone) {
    // Cores at 1 and 2, and at 10 and 11; 4.9 is within 3 of 2, 7.1 within 3 of 10.
    const Sample sample = reals(1, {0, 1, 2, 4.9f, 7.1f, 10, 11, 12, 40});
    EXPECT_EQ(sample.find({Metric::kL2, 3, 4}), (Clusters{1, 1, 1, 1, 0, 0, 0, 0, -1}));
}

TEST(Dbscan, ClustersDoNotDependOnTheOrder) {
    const Sample sample = random_sample(Kind::kReal, 2, 500, 4);
    const DbscanOptions options{Metric::kL2, 0.3, 5};
    const Clusters clusters = sample.find(options);
    std::vector<size_t> order(500);
    for (size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::ranges::shuffle(order, std::mt19937(1));
    Sample shuffled = sample;
    for (size_t i = 0; i < order.size(); ++i)
        std::copy_n(&sample.bytes[order[i] * 8], 8, &shuffled.bytes[i * 8]);
    const Clusters again = shuffled.find(options);
    std::map<int32_t, int32_t> matching;
    for (size_t i = 0; i < order.size(); ++i)
        EXPECT_EQ(matching.try_emplace(again[i], clusters[order[i]]).first->second,
                  clusters[order[i]]);
}

TEST(Dbscan, EqualRowsAndFarOnes) {
    EXPECT_EQ(reals(2, {1, 1, 1, 1, 1, 1}).find({Metric::kL2, 0, 3}), (Clusters{0, 0, 0}));
    EXPECT_EQ(reals(2, {1, 1, 1, 1, 1, 1}).find({Metric::kL2, 0, 4}), (Clusters{-1, -1, -1}));
    EXPECT_EQ(reals(1, {3e38f, -3e38f}).find({Metric::kL2, INFINITY, 1}), (Clusters{0, 0}));
    EXPECT_EQ(reals(1, {3e38f, -3e38f}).find({Metric::kL2, 1, 1}).size(), 2u);
    EXPECT_EQ(reals(1, {5}).find({Metric::kL2, 1, 1}), (Clusters{0}));
}

TEST(Dbscan, CanBeStopped) {
    Sample sample = random_sample(Kind::kReal, 2, 500, 4);
    Clusters clusters(500);
    EXPECT_THROW(find_dense_clusters({sample.bytes.data(), sample.form, 500}, {Metric::kL2, 1, 2},
                                     clusters, [] { throw std::runtime_error("stop"); }),
                 std::runtime_error);
}

}  // namespace
}  // namespace lookalike

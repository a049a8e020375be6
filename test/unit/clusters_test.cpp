#include "core/split/clusters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "core/vector/distance_kernels.h"
#include "each_target.h"

namespace lookalike {
namespace {

using Rows = std::vector<float>;

/// Rows of variance 1 around `centre_count` centres of variance spread^2.
Rows mixture(size_t row_count, uint32_t dims, uint32_t centre_count, float spread, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    Rows centres(centre_count * dims), rows(row_count * dims);
    for (float& element : centres)
        element = spread * normal(random);
    for (size_t i = 0; i < rows.size(); ++i)
        rows[i] = centres[i / dims % centre_count * dims + i % dims] + normal(random);
    return rows;
}

/// The same row so many times.
void append(Rows& rows, size_t times, const Rows& row) {
    for (size_t i = 0; i < times; ++i)
        rows.insert(rows.end(), row.begin(), row.end());
}

std::vector<uint32_t> sizes_of(const Clusters& clusters) {
    std::vector<uint32_t> sizes(clusters.count());
    for (const uint32_t cluster : clusters.cluster_of)
        ++sizes.at(cluster);
    return sizes;
}

double squares_to_nearest(const Rows& rows, uint32_t dims, const Rows& centroids) {
    double sum = 0;
    for (size_t i = 0; i < rows.size(); i += dims) {
        float least = std::numeric_limits<float>::infinity();
        for (size_t c = 0; c < centroids.size(); c += dims)
            least = std::min(least, l2_squared(&rows[i], &centroids[c], dims));
        sum += least;
    }
    return sum;
}

/// k-means as everybody knows it, from rows drawn by `seed`.
Rows plain_kmeans(const Rows& rows, uint32_t dims, uint32_t count, int rounds, uint32_t seed) {
    std::mt19937 random(seed);
    Rows centroids;
    for (uint32_t i = 0; i < count; ++i) {
        const size_t row = random() % (rows.size() / dims) * dims;
        centroids.insert(centroids.end(), &rows[row], &rows[row] + dims);
    }
    for (int round = 0; round < rounds; ++round) {
        std::vector<double> sums(centroids.size()), sizes(count);
        for (size_t i = 0; i < rows.size(); i += dims) {
            uint32_t nearest = 0;
            float least = std::numeric_limits<float>::infinity();
            for (uint32_t c = 0; c < count; ++c) {
                const float distance = l2_squared(&rows[i], &centroids[c * dims], dims);
                if (distance < least) least = distance, nearest = c;
            }
            ++sizes[nearest];
            for (uint32_t d = 0; d < dims; ++d)
                sums[nearest * dims + d] += rows[i + d];
        }
        for (size_t i = 0; i < sums.size(); ++i)
            if (sizes[i / dims] > 0) centroids[i] = static_cast<float>(sums[i] / sizes[i / dims]);
    }
    return centroids;
}

/// What is promised of any rows; that clusters are `even`, if no row comes often.
void expect_sound(const Rows& rows, uint32_t dims, const Clusters& clusters, uint32_t wanted,
                  bool even = true) {
    const size_t row_count = rows.size() / dims;
    ASSERT_EQ(clusters.cluster_of.size(), row_count);
    std::map<Rows, uint32_t> cluster_of_row;
    for (size_t i = 0; i < row_count; ++i) {
        Rows row(&rows[i * dims], &rows[i * dims] + dims);
        for (float& element : row)
            element = std::isnan(element) ? 0 : element + 0.0f;
        const auto [found, first] = cluster_of_row.emplace(row, clusters.cluster_of[i]);
        ASSERT_EQ(found->second, clusters.cluster_of[i]) << "row " << i;
    }
    ASSERT_EQ(clusters.count(), std::min<size_t>(wanted, cluster_of_row.size()));
    const std::vector<uint32_t> sizes = sizes_of(clusters);
    EXPECT_GE(std::ranges::min(sizes), 1u);
    if (even) {
        EXPECT_GE(std::ranges::min(sizes) * 8 * wanted, row_count);
    }
    for (const float element : clusters.centroids)
        ASSERT_TRUE(std::isfinite(element));
}

Clusters find(const Rows& rows, uint32_t dims, const ClusterOptions& options) {
    return find_clusters(rows, dims, options, {});
}

TEST(Clusters, FindsThoseThatAreThere) {
    on_each_target([] {
        for (const uint32_t dims : {1, 2, 3, 7, 16, 37, 128}) {
            for (const uint32_t count : {2, 3, 7}) {
                const Rows rows = mixture(700, dims, count, 10000, 5);
                const Clusters found = find(rows, dims, {.count = count});
                expect_sound(rows, dims, found, count);
                for (size_t i = count; i < 700; ++i)
                    ASSERT_EQ(found.cluster_of[i], found.cluster_of[i - count])
                        << dims << " dims, " << count << " clusters";
            }
        }
    });
}

TEST(Clusters, SquaresAreFewPercentAboveTheBestOfLongKmeans) {
    struct Case {
        size_t rows;
        uint32_t dims, centres;
        float spread;
        uint32_t count;
        double allowed;
    };
    for (const Case& c : {Case{1500, 128, 1, 0, 2, 1.01}, Case{1500, 16, 2, 1, 2, 1.01},
                          Case{1500, 32, 20, 2, 2, 1.03}, Case{1500, 16, 8, 3, 8, 1.02},
                          Case{1500, 32, 200, 1, 5, 1.02}, Case{1500, 16, 30, 3, 30, 1.02},
                          Case{1500, 32, 500, 1, 30, 1.03}}) {
        const Rows rows = mixture(c.rows, c.dims, c.centres, c.spread, 3);
        double best = std::numeric_limits<double>::infinity();
        for (uint32_t seed = 0; seed < 5; ++seed)
            best = std::min(best, squares_to_nearest(
                                      rows, c.dims, plain_kmeans(rows, c.dims, c.count, 30, seed)));
        for (uint64_t seed = 0; seed < 3; ++seed) {
            const Clusters found = find(rows, c.dims, {.count = c.count, .seed = seed});
            expect_sound(rows, c.dims, found, c.count);
            const double ratio = squares_to_nearest(rows, c.dims, found.centroids) / best;
            EXPECT_LE(ratio, c.allowed) << c.count << " of " << c.centres;
        }
    }
}

TEST(Clusters, CentroidsAreMeans) {
    const Rows rows = mixture(500, 24, 3, 2, 1);
    const Clusters found = find(rows, 24, {.count = 3});
    const std::vector<uint32_t> sizes = sizes_of(found);
    std::vector<double> sums(found.centroids.size());
    for (size_t i = 0; i < rows.size(); ++i)
        sums[found.cluster_of[i / 24] * 24 + i % 24] += rows[i];
    for (size_t i = 0; i < sums.size(); ++i)
        EXPECT_NEAR(found.centroids[i], sums[i] / sizes[i / 24], 1e-5);
}

TEST(Clusters, NeverPartsEqualRows) {
    // Each row up to six times, in any order; few elements, so that many rows are equally far.
    std::mt19937 random(2);
    for (const uint32_t dims : {1, 2, 5, 20}) {
        Rows rows;
        for (int i = 0; i < 3000; ++i)
            for (uint32_t d = 0; d < dims; ++d)
                rows.push_back(static_cast<float>(random() % 3) * (random() % 2 ? 1.0f : -1.0f));
        for (const uint32_t count : {2, 5, 40}) {
            SCOPED_TRACE(testing::Message() << dims << " dims, " << count << " clusters");
            expect_sound(rows, dims, find(rows, dims, {.count = count}), count, false);
        }
    }
}

TEST(Clusters, EqualRowsAreOneCluster) {
    Rows rows;
    append(rows, 1000, {1.5f, -2, 0});
    append(rows, 1000, {1.5f, -2, -0.0f});
    const Clusters found = find(rows, 3, {.count = 7});
    EXPECT_EQ(found.centroids, (Rows{1.5f, -2, 0}));
    EXPECT_EQ(found.cluster_of, std::vector<uint32_t>(2000, 0));
}

TEST(Clusters, AreNoMoreThanDifferentRows) {
    Rows rows;
    for (size_t i = 0; i < 10; ++i)
        append(rows, i * i * i + 1, {static_cast<float>(i), static_cast<float>(i % 3)});
    const Clusters found = find(rows, 2, {.count = 70});
    expect_sound(rows, 2, found, 70, false);
    EXPECT_EQ(squares_to_nearest(rows, 2, found.centroids), 0);
    EXPECT_EQ(find({1, 2}, 2, {.count = 5}).centroids, (Rows{1, 2}));
    EXPECT_EQ(find({1, 2, 3, 4}, 2, {.count = 2}).count(), 2u);
    EXPECT_EQ(find({}, 2, {.count = 2}).count(), 0u);
}

TEST(Clusters, OneRareRowAmongEqualOnesIsACluster) {
    Rows rows;
    append(rows, 4999, {1, 2, 3, 4});
    append(rows, 1, {1, 2, 3, 5});
    const Clusters found = find(rows, 4, {.count = 2});
    EXPECT_EQ(found.centroids, (Rows{1, 2, 3, 4, 1, 2, 3, 5}));
}

TEST(Clusters, AreEvenIfNoRowComesOften) {
    // 85 % of the rows are one value; the others lie in all directions and farther and farther.
    Rows rows = mixture(4000, 30, 1, 0, 4);
    for (size_t i = 0; i < rows.size() / 30; ++i)
        for (size_t d = 0; d < 30; ++d)
            rows[i * 30 + d] *= i % 20 < 17 ? 0 : std::exp(static_cast<float>(i) / 200);
    expect_sound(rows, 30, find(rows, 30, {.count = 2}), 2);
}

TEST(Clusters, OutliersDoNotGetOneForThemselves) {
    const Rows bulk = mixture(5000, 32, 2, 1, 6);
    const Clusters expected = find(bulk, 32, {.count = 2});
    const double squares = squares_to_nearest(bulk, 32, expected.centroids);
    for (const float distance : {5.0f, 10.0f, 1e3f, 1e6f, 1e12f, 1e25f, 1e38f}) {
        for (const size_t outlier_count : {1, 3, 100}) {
            SCOPED_TRACE(testing::Message() << outlier_count << " of " << distance);
            Rows rows = bulk;
            for (size_t i = 0; i < outlier_count; ++i)  // each in its own direction
                for (size_t d = 0; d < 32; ++d)
                    rows[i * 50 * 32 + d] = d == i % 32 ? distance * (i % 2 ? 1 : -1.5f) : 0;
            for (const uint32_t count : {2, 5}) {
                const Clusters found = find(rows, 32, {.count = count});
                expect_sound(rows, 32, found, count);
                // Nor do they pull the others.
                if (distance > 5) {
                    EXPECT_LT(squares_to_nearest(bulk, 32, found.centroids), squares * 1.02);
                }
            }
        }
    }
}

TEST(Clusters, OutliersNextToEqualRowsAreNoCluster) {
    // Two values that are nearly all, and a few rows far away.
    Rows rows;
    append(rows, 2450, {1, 0});
    append(rows, 2450, {0, 1});
    for (int i = 0; i < 100; ++i)
        append(rows, 1, {1e4f, static_cast<float>(i)});
    const Clusters found = find(rows, 2, {.count = 2});
    expect_sound(rows, 2, found, 2);
    EXPECT_NE(found.cluster_of[0], found.cluster_of[2450]);
    EXPECT_EQ(squares_to_nearest({1, 0, 0, 1}, 2, found.centroids), 0);
}

TEST(Clusters, BinaryRowsHaveBinaryCentroids) {
    // Copies of four rows in which each bit is turned over by a chance of a tenth.
    std::mt19937 random(8);
    Rows rows, origins;
    for (int i = 0; i < 4 * 256; ++i)
        origins.push_back(random() % 2 ? 1.0f : -1.0f);
    for (size_t i = 0; i < 2000 * 256; ++i) {
        const float turned = random() % 10 == 0 ? -1.0f : 1.0f;
        rows.push_back(origins[i / 256 % 4 * 256 + i % 256] * turned);
    }
    const Clusters found = find(rows, 256, {.count = 4, .binary = true});
    expect_sound(rows, 256, found, 4);
    EXPECT_EQ(squares_to_nearest(origins, 256, found.centroids), 0);
    // As many 1 as -1.
    const Rows pair{1, 1, 1, 1, 1, -1};
    EXPECT_EQ(find(pair, 3, {.count = 1, .binary = true}).centroids, (Rows{1, 1, -1}));
}

TEST(Clusters, SparseBitsArePartedEvenly) {
    // Most bits are -1 in nearly all rows, so the majorities of any clusters are equal.
    std::mt19937 random(9);
    Rows rows;
    for (size_t i = 0; i < 2000 * 128; ++i)
        rows.push_back(random() % 20 == 0 ? 1.0f : -1.0f);
    for (const uint32_t count : {2, 8})
        expect_sound(rows, 128, find(rows, 128, {.count = count, .binary = true}), count);
}

TEST(Clusters, EqualInputGivesEqualClusters) {
    const Rows rows = mixture(4000, 48, 40, 1, 3);
    for (const uint32_t count : {2, 30}) {
        const ClusterOptions options{.count = count, .sample = 50, .seed = 1};
        const Clusters first = find(rows, 48, options), second = find(rows, 48, options);
        EXPECT_EQ(first.centroids, second.centroids);
        EXPECT_EQ(first.cluster_of, second.cluster_of);
        ClusterOptions other = options;
        other.seed = 2;
        EXPECT_NE(find(rows, 48, other).centroids, first.centroids);
    }
}

// Both ways to halve a rectangle are where k-means stays; it comes to the one that it starts near.
TEST(Clusters, StartWhereTheyAreTold) {
    for (const float scale : {1.0f, 1e-20f, 1e-41f, 1e20f, 1e37f}) {
        SCOPED_TRACE(scale);
        Rows rows;
        for (int i = 0; i < 200; ++i)
            append(rows, 1, {i % 2 ? scale : -scale, i % 4 < 2 ? 0.8f * scale : -0.8f * scale});
        const Rows upright{0, 0.5f * scale, 0, -0.5f * scale};
        const Rows level{0.5f * scale, 0, -0.5f * scale, 0};
        const Clusters halved = find(rows, 2, {.count = 2, .start = upright});
        expect_sound(rows, 2, halved, 2);
        EXPECT_EQ(halved.cluster_of[0], halved.cluster_of[1]);
        EXPECT_NE(halved.cluster_of[0], halved.cluster_of[2]);
        const Clusters other = find(rows, 2, {.count = 2, .start = level});
        EXPECT_NE(other.cluster_of[0], other.cluster_of[1]);
        EXPECT_EQ(other.cluster_of[0], other.cluster_of[2]);
        // The order is that of the start.
        EXPECT_EQ(halved.cluster_of[0], 0u);
        EXPECT_EQ(other.cluster_of[1], 0u);
    }
}

TEST(Clusters, TakeAnyStart) {
    const Rows rows = mixture(600, 3, 2, 5, 3);
    const Clusters usual = find(rows, 3, {.count = 2});
    // Of another size it is none.
    const Rows many(9);
    EXPECT_EQ(find(rows, 3, {.count = 2, .start = many}).centroids, usual.centroids);
    const float kInfinity = std::numeric_limits<float>::infinity();
    for (const Rows& start :
         {Rows(6, 0), Rows(6, NAN), Rows(6, kInfinity), Rows{NAN, 1, 2, 3e38f, -kInfinity, 0},
          Rows{1e38f, 1e38f, 1e38f, -1e38f, -1e38f, -1e38f}})
        expect_sound(rows, 3, find(rows, 3, {.count = 2, .start = start}), 2);
}

TEST(Clusters, TakesAnyFloats) {
    const float kInfinity = std::numeric_limits<float>::infinity();
    for (const float factor : {1e-45f, 1e-40f, 1e-30f, 1e-12f, 1e12f, 1e18f, 1e30f, 1e37f}) {
        SCOPED_TRACE(factor);
        Rows rows = mixture(600, 20, 2, 5, 3);
        for (float& element : rows)
            element *= factor;
        const Clusters found = find(rows, 20, {.count = 2});
        expect_sound(rows, 20, found, 2);
        for (size_t i = 2; i < 600 && factor > 1e-44f; ++i)
            ASSERT_EQ(found.cluster_of[i], found.cluster_of[i - 2]);
        for (size_t i = 0; i < rows.size(); i += 97)
            rows[i] = i % 2 == 0 ? NAN : i % 3 == 0 ? kInfinity : -kInfinity;
        for (const uint32_t count : {2, 9})
            expect_sound(rows, 20, find(rows, 20, {.count = count}), count, false);
    }
    for (const float all : {NAN, kInfinity, 3e38f, 1e-45f})
        EXPECT_EQ(find(Rows(600, all), 3, {.count = 2}).count(), 1u) << all;
    const Rows rows{3e38f, -3e38f, -3e38f, 3e38f, kInfinity, NAN};
    expect_sound(rows, 2, find(rows, 2, {.count = 3}), 3);
}

TEST(Clusters, CallsBackAndStops) {
    const Rows rows = mixture(3000, 64, 40, 1, 3);
    int calls = 0;
    find_clusters(rows, 64, {.count = 20}, [&calls] { ++calls; });
    // 11 times all rows are compared with all centroids.
    EXPECT_GE(calls, 3000 * 64 * 20 / (1 << 20) * 11);
    for (int last : {1, calls / 2, calls}) {
        const auto stop = [&last] {
            if (--last == 0) throw std::runtime_error("stop");
        };
        EXPECT_THROW(find_clusters(rows, 64, {.count = 20}, stop), std::runtime_error);
    }
}

}  // namespace
}  // namespace lookalike

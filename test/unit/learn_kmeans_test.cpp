#include "learn/kmeans.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/vector/distance_kernels.h"
#include "learn/assign.h"
#include "learn/start.h"
#include "small_ivf.h"

namespace lookalike {
namespace {

/// Points around `blob_count` centres that lie far apart.
std::vector<float> blobs(size_t row_count, size_t dims, size_t blob_count, float spread) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> centers(blob_count * dims), values(row_count * dims);
    for (float& value : centers)
        value = 100 * normal(random);
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t blob = (i / dims) % blob_count;
        values[i] = centers[blob * dims + i % dims] + spread * normal(random);
    }
    return values;
}

double objective(const RowsView& rows, const std::vector<float>& centroids) {
    std::vector<uint32_t> list_ids(rows.row_count);
    std::vector<float> distances(rows.row_count);
    Assigner(centroids, rows.dims).assign(rows, list_ids, distances);
    double sum = 0;
    for (const float distance : distances)
        sum += distance;
    return sum;
}

/// Rows of each list.
std::vector<uint32_t> row_counts(const RowsView& rows, const std::vector<float>& centroids) {
    std::vector<uint32_t> list_ids(rows.row_count);
    std::vector<float> distances(rows.row_count);
    Assigner(centroids, rows.dims).assign(rows, list_ids, distances);
    std::vector<uint32_t> counts(centroids.size() / rows.dims);
    for (const uint32_t list : list_ids)
        ++counts[list];
    return counts;
}

TEST(Kmeans, FindsSeparatedBlobs) {
    const auto values = blobs(2000, 16, 8, 0.1f);
    const RowsView rows{values.data(), 2000, 16};
    // More lists than blobs, since k-means may start with two centroids in one blob.
    const auto centroids = train_centroids(rows, {.list_count = 32, .iteration_count = 20});
    ASSERT_EQ(centroids.size(), 32u * 16);
    // 16 dimensions of variance 0.01 each; a blob without a centroid would cost thousands a row.
    EXPECT_LT(objective(rows, centroids) / 2000, 0.17);
}

TEST(Kmeans, MovesListsFromWhereRowsAreFewToWhereTheyAreMany) {
    // As many lists as blobs: some start as two or three in one, and others with none.
    const auto values = blobs(6400, 16, 64, 1);
    const RowsView rows{values.data(), 6400, 16};
    for (const size_t one_level_lists : {1000, 10}) {
        const auto centroids =
            train_centroids(rows, {.list_count = 64, .one_level_lists = one_level_lists});
        const auto counts = row_counts(rows, centroids);
        EXPECT_LE(std::ranges::max(counts), 200u) << one_level_lists;
        EXPECT_GE(std::ranges::min(counts), 40u) << one_level_lists;
    }
}

TEST(Kmeans, EvensOutTheListsOfRealImages) {
    const Vectors images = fashion_mnist("train", 10000);
    if (images.count() == 0) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    const RowsView rows{images.elements.data(), images.count(), images.dims};
    const auto counts = row_counts(rows, train_centroids(rows, {.list_count = 100}));
    // What a query scans in a list that is as likely to be its own as it has rows.
    double scanned = 0;
    for (const double count : counts)
        scanned += count * count / 10000;
    EXPECT_LE(scanned, 1.08 * 100);
    EXPECT_LE(std::ranges::max(counts), 190u);
    EXPECT_GE(std::ranges::min(counts), 30u);
}

TEST(Kmeans, HalvesNoListOfEqualRows) {
    // The largest list is one value, and the next largest a few that floats hardly tell apart.
    auto values = blobs(4000, 8, 300, 1);
    for (size_t i = 0; i < values.size() / 2; ++i)
        values[i] = 1;
    for (size_t i = values.size() / 2; i < values.size() * 5 / 8; ++i)
        values[i] = std::nextafter(1e4f, i / 8 % 3 == 0 ? 0.0f : 1e5f);
    const RowsView rows{values.data(), 4000, 8};
    const auto centroids = train_centroids(rows, {.list_count = 100});
    ASSERT_EQ(centroids.size(), 100u * 8);
    EXPECT_EQ(distinct_rows({centroids.data(), 100, 8}).size(), 100u);
}

TEST(Kmeans, ThreadsDoNotChangeCentroids) {
    const auto values = blobs(6000, 32, 30, 20);
    const RowsView rows{values.data(), 6000, 32};
    const int thread_count = omp_get_max_threads();
    const auto many = train_centroids(rows, {.list_count = 50});
    omp_set_num_threads(1);
    const auto one = train_centroids(rows, {.list_count = 50});
    omp_set_num_threads(3);
    const auto three = train_centroids(rows, {.list_count = 50});
    omp_set_num_threads(thread_count);
    EXPECT_EQ(many, one);
    EXPECT_EQ(many, three);
}

TEST(Kmeans, CentroidOfOneListIsTheMean) {
    const std::vector<float> values = {1, 2, 3, 4, 5, 9};
    EXPECT_EQ(train_centroids({values.data(), 3, 2}, {.list_count = 1}),
              (std::vector<float>{3, 5}));
}

TEST(Kmeans, LearnsNoMoreListsThanDistinctRows) {
    std::vector<float> values;
    for (int i = 0; i < 1000; ++i)
        for (int d = 0; d < 4; ++d)
            values.push_back(static_cast<float>(i % 5 * 10 + d));
    const RowsView rows{values.data(), 1000, 4};
    const auto centroids = train_centroids(rows, {.list_count = 100});
    ASSERT_EQ(centroids.size(), 5u * 4);
    EXPECT_EQ(distinct_rows({centroids.data(), 5, 4}).size(), 5u);
    EXPECT_EQ(objective(rows, centroids), 0);
}

TEST(Kmeans, ManyDuplicatesDoNotWasteInitialCentroids) {
    // 99 % of the rows are equal; 51 distinct rows for 40 lists.
    auto values = blobs(5000, 8, 50, 0);
    for (size_t i = 50 * 8; i < values.size(); ++i)
        values[i] = 0;
    const RowsView rows{values.data(), 5000, 8};
    ASSERT_EQ(distinct_rows(rows).size(), 51u);
    const auto centroids = train_centroids(rows, {.list_count = 40});
    ASSERT_EQ(centroids.size(), 40u * 8);
    const double one_list = objective(rows, train_centroids(rows, {.list_count = 1}));
    EXPECT_LT(objective(rows, centroids), one_list * 0.1);
}

TEST(Kmeans, AllEqualRowsGiveOneList) {
    const std::vector<float> values(3 * 1000, 1.5f);
    EXPECT_EQ(train_centroids({values.data(), 1000, 3}, {.list_count = 7}),
              (std::vector<float>{1.5f, 1.5f, 1.5f}));
}

TEST(Kmeans, OneRowIsItsOwnList) {
    const std::vector<float> values = {1, 2};
    EXPECT_EQ(train_centroids({values.data(), 1, 2}, {.list_count = 10}), values);
}

TEST(Kmeans, EqualInputGivesEqualCentroids) {
    const auto values = blobs(6000, 32, 30, 20);
    const RowsView rows{values.data(), 6000, 32};
    EXPECT_EQ(train_centroids(rows, {.list_count = 50}), train_centroids(rows, {.list_count = 50}));
    const KmeansOptions two_levels{.list_count = 50, .one_level_lists = 10};
    EXPECT_EQ(train_centroids(rows, two_levels), train_centroids(rows, two_levels));
    EXPECT_NE(train_centroids(rows, {.list_count = 50}),
              train_centroids(rows, {.list_count = 50, .seed = 5}));
}

TEST(Kmeans, TwoLevelsComeCloseToOne) {
    const auto values = blobs(20000, 32, 300, 40);
    const RowsView rows{values.data(), 20000, 32};
    const auto one = train_centroids(rows, {.list_count = 400});
    const auto two = train_centroids(rows, {.list_count = 400, .one_level_lists = 100});
    ASSERT_EQ(two.size(), one.size());
    EXPECT_NE(two, one);
    EXPECT_LT(objective(rows, two), objective(rows, one) * 1.03);
}

TEST(Kmeans, TwoLevelsGiveEveryListThatDuplicatesAllow) {
    // Half of the rows are one value, which can fill one list only.
    auto values = blobs(4000, 8, 4000, 0);
    for (size_t i = 0; i < values.size() / 2; ++i)
        values[i] = 3;
    const RowsView rows{values.data(), 4000, 8};
    const auto centroids = train_centroids(rows, {.list_count = 1500, .one_level_lists = 100});
    EXPECT_EQ(centroids.size(), 1500u * 8);
}

TEST(Kmeans, ReportsEveryStep) {
    const auto values = blobs(3000, 8, 10, 20);
    for (const size_t one_level_lists : {1000, 10}) {
        size_t last = 0, total = 0;
        KmeansOptions options{.list_count = 100,
                              .iteration_count = 5,
                              .one_level_lists = one_level_lists,
                              .progress = [&](size_t step, size_t step_count) {
                                  EXPECT_EQ(step, last + 1);
                                  last = step;
                                  total = step_count;
                              }};
        train_centroids({values.data(), 3000, 8}, options);
        EXPECT_EQ(last, total);
        EXPECT_EQ(total, one_level_lists == 1000 ? 5u : 20u);
    }
}

TEST(Kmeans, RefusesRowsThatCannotBeSquared) {
    for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
        auto values = blobs(200, 8, 4, 1);
        values[150 * 8 + 3] = bad;
        EXPECT_THROW(train_centroids({values.data(), 200, 8}, {.list_count = 4}), InvalidRows);
    }
}

TEST(Kmeans, TakesLargeFiniteRows) {
    auto values = blobs(200, 8, 4, 1);
    for (size_t i = 0; i < values.size(); ++i)
        values[i] *= 1e15f;
    const auto centroids = train_centroids({values.data(), 200, 8}, {.list_count = 4});
    for (const float value : centroids)
        EXPECT_TRUE(std::isfinite(value));
}

TEST(Kmeans, ClustersFindAsManyBlobs) {
    for (const LearnAim aim : {LearnAim::kClusters, LearnAim::kDirections}) {
        const auto values = blobs(6400, 16, 64, 0.1f);
        std::vector<float> unit = values;
        for (size_t i = 0; aim == LearnAim::kDirections && i < unit.size(); i += 16) {
            const float length = std::sqrt(dot(&unit[i], &unit[i], 16));
            for (size_t d = i; d < i + 16; ++d)
                unit[d] /= length;
        }
        const RowsView rows{unit.data(), 6400, 16};
        for (const size_t count : {3, 64}) {
            const auto centroids = train_centroids(rows, {.list_count = count, .aim = aim});
            ASSERT_EQ(centroids.size(), count * 16);
            const auto largest = std::ranges::max(row_counts(rows, centroids));
            EXPECT_TRUE(count < 64 || largest == 100u) << largest;
            for (size_t i = 0; aim == LearnAim::kDirections && i < count; ++i)
                EXPECT_NEAR(dot(&centroids[i * 16], &centroids[i * 16], 16), 1, 1e-5);
        }
    }
}

TEST(Kmeans, ClustersMayBeSmall) {
    // Lists of an index would halve the large one.
    std::vector<float> values(1010 * 2);
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < 1010; ++i) {
        values[2 * i] = normal(random) + (i >= 1005 ? 1000.0f : i >= 1000 ? -1000.0f : 0.0f);
        values[2 * i + 1] = normal(random);
    }
    const RowsView rows{values.data(), 1010, 2};
    auto counts =
        row_counts(rows, train_centroids(rows, {.list_count = 3, .aim = LearnAim::kClusters}));
    std::ranges::sort(counts);
    EXPECT_EQ(counts, (std::vector<uint32_t>{5, 5, 1000}));
}

TEST(Kmeans, ClustersThatNoLongerChangeEndSooner) {
    const auto values = blobs(2000, 8, 8, 0.1f);
    size_t steps = 0;
    const KmeansOptions options{.list_count = 8,
                                .iteration_count = 1000,
                                .aim = LearnAim::kClusters,
                                .progress = [&](size_t, size_t) { ++steps; }};
    train_centroids({values.data(), 2000, 8}, options);
    EXPECT_LT(steps, 10u);
}

TEST(Kmeans, ClustersCostNoMoreThanThoseOfARandomStart) {
    const Vectors images = fashion_mnist("train", 10000);
    if (images.count() == 0) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    const RowsView rows{images.elements.data(), images.count(), images.dims};
    for (const size_t count : {10, 100}) {
        const double lists = objective(rows, train_centroids(rows, {.list_count = count}));
        const double clusters = objective(
            rows, train_centroids(rows, {.list_count = count, .aim = LearnAim::kClusters}));
        EXPECT_LT(clusters, lists);
    }
}

TEST(Kmeans, ClustersOfManyListsAndOfEqualRows) {
    const auto values = blobs(3000, 8, 8, 1);
    const auto two_levels =
        train_centroids({values.data(), 3000, 8},
                        {.list_count = 100, .aim = LearnAim::kClusters, .one_level_lists = 20});
    EXPECT_EQ(two_levels.size(), 800u);
    std::vector<float> equal(50 * 8, 1.5f);
    equal[0] = 2;
    for (const LearnAim aim : {LearnAim::kClusters, LearnAim::kDirections})
        EXPECT_EQ(train_centroids({equal.data(), 50, 8}, {.list_count = 4, .aim = aim}).size(),
                  16u);
}

TEST(Kmeans, StartsAtDistinctRowsWhoseDistancesFloatsCannotHold) {
    // Their squared distances are 0.
    const std::vector<float> values{0, 1e-30f, 2e-30f, 3e-30f};
    const RowsView rows{values.data(), 4, 1};
    auto start = spread_centroids(rows, {0, 1, 2, 3}, 4, 1);
    std::ranges::sort(start);
    EXPECT_EQ(start, values);
}

}  // namespace
}  // namespace lookalike

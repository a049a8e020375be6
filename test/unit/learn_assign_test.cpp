#include "learn/assign.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lookalike {
namespace {

std::vector<float> random_values(size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values)
        value = normal(random);
    return values;
}

double exact_distance(const float* a, const float* b, size_t dims) {
    double sum = 0;
    for (size_t d = 0; d < dims; ++d)
        sum += (double{a[d]} - b[d]) * (double{a[d]} - b[d]);
    return sum;
}

void expect_nearest(size_t row_count, size_t list_count, size_t dims, float offset) {
    auto centroids = random_values(list_count * dims, 1);
    auto values = random_values(row_count * dims, 2);
    for (float& value : centroids)
        value += offset;
    for (float& value : values)
        value += offset;
    std::vector<uint32_t> list_ids(row_count);
    std::vector<float> distances(row_count);
    Assigner(centroids, dims).assign({values.data(), row_count, dims}, list_ids, distances);
    for (size_t i = 0; i < row_count; ++i) {
        const float* row = &values[i * dims];
        double nearest = INFINITY;
        for (size_t list = 0; list < list_count; ++list)
            nearest = std::min(nearest, exact_distance(row, &centroids[list * dims], dims));
        ASSERT_LT(list_ids[i], list_count);
        const double chosen = exact_distance(row, &centroids[list_ids[i] * dims], dims);
        const double norm = exact_distance(row, std::vector<float>(dims).data(), dims);
        ASSERT_LE(chosen, nearest + norm * 1e-5) << "row " << i;
        ASSERT_NEAR(distances[i], chosen, chosen * 1e-5) << "row " << i;
    }
}

TEST(Assigner, EqualsBruteForce) {
    expect_nearest(3000, 100, 128, 0);
    expect_nearest(500, 2000, 33, 0);  // more centroids than BLAS takes at once
    expect_nearest(300, 1, 5, 0);
    expect_nearest(7, 10, 1, 0);  // too few rows for BLAS
}

TEST(Assigner, DistancesDoNotCancelFarFromTheOrigin) {
    expect_nearest(1000, 50, 64, 100);
}

TEST(Assigner, CrossesChunks) {
    expect_nearest(40000, 3, 4, 0);
}

TEST(Assigner, EqualInputGivesEqualOutput) {
    const auto centroids = random_values(300 * 64, 1), values = random_values(20000 * 64, 2);
    const Assigner assigner(centroids, 64);
    std::vector<uint32_t> list_ids[2];
    std::vector<float> distances[2];
    for (int run = 0; run < 2; ++run) {
        list_ids[run].resize(20000);
        distances[run].resize(20000);
        assigner.assign({values.data(), 20000, 64}, list_ids[run], distances[run]);
    }
    EXPECT_EQ(list_ids[0], list_ids[1]);
    EXPECT_EQ(distances[0], distances[1]);
}

TEST(Assigner, ZeroRowsAreNoError) {
    const std::vector<float> centroids = {1, 2};
    Assigner(centroids, 2).assign({nullptr, 0, 2}, {}, {});
}

TEST(Assigner, RefusesNaN) {
    std::vector<float> values = {1, 2, 3, NAN};
    EXPECT_THROW(Assigner(values, 2), InvalidRows);
    const Assigner assigner(std::vector<float>{1, 2}, 2);
    std::vector<uint32_t> list_ids(2);
    std::vector<float> distances(2);
    EXPECT_THROW(assigner.assign({values.data(), 2, 2}, list_ids, distances), InvalidRows);
}

TEST(DistinctRows, KeepsTheFirstOfEqualRows) {
    const std::vector<float> values = {1, 2, 3, 4, 1, 2, 5, 6, 3, 4};
    EXPECT_EQ(distinct_rows({values.data(), 5, 2}), (std::vector<uint32_t>{0, 1, 3}));
}

}  // namespace
}  // namespace lookalike

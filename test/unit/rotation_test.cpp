#include "core/code/rotation.h"

#include <cmath>
#include <random>

#include "each_target.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;

Floats rotated(const Rotation& rotation, Floats vector) {
    Floats scratch(vector.size());
    rotation.apply(vector.data(), scratch.data());
    return vector;
}

Floats random_vector(uint32_t dims, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    Floats vector(dims);
    for (float& element : vector)
        element = normal(random);
    return vector;
}

double dot(const Floats& a, const Floats& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
        sum += double{a[i]} * b[i];
    return sum;
}

class RotationOfDims : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Dims, RotationOfDims,
                         testing::Values(64, 128, 192, 512, 768, 960, 1280, 16000));

TEST_P(RotationOfDims, KeepsInnerProductsWithinItsError) {
    std::mt19937_64 random(GetParam());
    const Rotation rotation(GetParam(), 7);
    const Floats a = random_vector(GetParam(), random);
    const Floats b = random_vector(GetParam(), random);
    on_each_target([&] {
        const Floats rotated_a = rotated(rotation, a);
        const Floats rotated_b = rotated(rotation, b);
        const double error = 2.1 * rotation.relative_error();
        const double norms = std::sqrt(dot(a, a) * dot(b, b));
        EXPECT_NEAR(dot(rotated_a, rotated_b), dot(a, b), error * norms);
        EXPECT_NEAR(dot(rotated_a, rotated_a), dot(a, a), error * dot(a, a));
        EXPECT_GT(std::abs(rotated_a[0] - a[0]) + std::abs(rotated_a[1] - a[1]), 0);
    });
}

TEST_P(RotationOfDims, IsTheSameOnEveryTarget) {
    std::mt19937_64 random(GetParam());
    const Rotation rotation(GetParam(), 7);
    const Floats a = random_vector(GetParam(), random);
    const Floats expected = rotated(rotation, a);
    on_each_target([&] { EXPECT_EQ(rotated(rotation, a), expected); });
}

/// A vector with all its weight in one dimension or one stretch must come out spread evenly.
TEST_P(RotationOfDims, SpreadsWhatIsConcentrated) {
    const uint32_t dims = GetParam();
    for (uint64_t seed = 0; seed < 4; ++seed) {
        const Rotation rotation(dims, seed);
        for (uint32_t width : {1u, dims / 16, dims / 4}) {
            for (uint32_t start : {0u, dims / 2, dims - width}) {
                Floats vector(dims);
                for (uint32_t i = 0; i < width; ++i)
                    vector[start + i] = 1;
                const Floats result = rotated(rotation, vector);
                double absolute = 0;
                double largest = 0;
                for (float element : result) {
                    absolute += std::abs(element);
                    largest = std::max(largest, double{std::abs(element)});
                }
                const double norm = std::sqrt(static_cast<double>(width));
                // A Gaussian direction has sqrt(2/pi) = 0.80 here, one axis 1/sqrt(dims).
                EXPECT_GT(absolute / norm / std::sqrt(dims), 0.70) << width << " at " << start;
                EXPECT_LT(largest / norm * std::sqrt(dims), 6.0) << width << " at " << start;
            }
        }
    }
}

TEST(Rotation, DependsOnTheSeed) {
    const Floats a(128, 1.0f);
    EXPECT_NE(rotated(Rotation(128, 1), a), rotated(Rotation(128, 2), a));
    EXPECT_EQ(rotated(Rotation(128, 1), a), rotated(Rotation(128, 1), a));
}

}  // namespace
}  // namespace lookalike

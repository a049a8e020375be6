#include "core/code/index_space.h"

#include <cmath>
#include <random>

#include "each_target.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;

Floats random_vector(uint32_t dims, float offset, std::mt19937_64& random) {
    std::normal_distribution<float> normal(offset);
    Floats vector(dims);
    for (float& element : vector)
        element = normal(random);
    return vector;
}

Floats in_space(const IndexSpace& space, const Floats& raw) {
    Floats out(space.padded_dims());
    space.to_space(raw.data(), out.data());
    return out;
}

TEST(IndexSpace, PadsToMultiplesOf64AndAtLeast128) {
    EXPECT_EQ(IndexSpace::padded_dims(1), 128u);
    EXPECT_EQ(IndexSpace::padded_dims(128), 128u);
    EXPECT_EQ(IndexSpace::padded_dims(129), 192u);
    EXPECT_EQ(IndexSpace::padded_dims(784), 832u);
    EXPECT_EQ(IndexSpace::padded_dims(16000), 16000u);
}

TEST(IndexSpace, KeepsL2DistancesWithinItsRounding) {
    std::mt19937_64 random(3);
    for (uint32_t dims : {1u, 3u, 100u, 128u, 784u}) {
        const Floats mean = random_vector(dims, 5, random);
        const IndexSpace space(Metric::kL2, dims, 11, mean);
        const Floats a = random_vector(dims, 5, random);
        const Floats b = random_vector(dims, 5, random);
        Floats space_a(space.padded_dims());
        Floats space_b(space.padded_dims());
        const double rounding =
            space.to_space(a.data(), space_a.data()) + space.to_space(b.data(), space_b.data());
        const double expected = std::sqrt(exact_l2_squared(a.data(), b.data(), dims));
        const double found =
            std::sqrt(exact_l2_squared(space_a.data(), space_b.data(), space.padded_dims()));
        EXPECT_NEAR(found, expected, rounding);
        EXPECT_LT(rounding, 1e-5 * std::sqrt(dims));
    }
}

TEST(IndexSpace, CosineLooksAtDirectionsOnly) {
    std::mt19937_64 random(4);
    const Floats mean(100, 0.01f);
    const IndexSpace space(Metric::kCosine, 100, 11, mean);
    const Floats a = random_vector(100, 1, random);
    for (float factor : {1e-30f, 3.0f, 1e30f}) {
        Floats scaled = a;
        for (float& element : scaled)
            element *= factor;
        const Floats one = in_space(space, a);
        const Floats other = in_space(space, scaled);
        EXPECT_LT(exact_l2_squared(one.data(), other.data(), space.padded_dims()), 1e-12);
    }
}

TEST(IndexSpace, InnerProductComesApartIntoMeanAndRest) {
    std::mt19937_64 random(5);
    const Floats mean = random_vector(100, 1, random);
    const IndexSpace space(Metric::kInnerProduct, 100, 11, mean);
    const Floats a = random_vector(100, 1, random);
    const Floats q = random_vector(100, 1, random);
    const SpaceQuery query = space.query(q.data());
    const Floats space_a = in_space(space, a);
    const double found =
        query.mean_product + exact_dot(space_a.data(), query.raw.get(), space.padded_dims());
    EXPECT_NEAR(found, exact_dot(a.data(), q.data(), 100), 1e-3);
    // P(q - m) + P(m) = P(q)
    for (uint32_t i = 0; i < space.padded_dims(); ++i)
        EXPECT_NEAR(query.vector[i] + space.mean_in_space()[i], query.raw[i], 1e-4);
}

TEST(IndexSpace, SaysWhenAVectorIsTooLong) {
    const IndexSpace space(Metric::kL2, 4, 11, {});
    Floats out(space.padded_dims());
    const Floats long_vector(4, 3e38f);
    EXPECT_EQ(space.to_space(long_vector.data(), out.data()),
              std::numeric_limits<double>::infinity());
    for (float element : out)
        EXPECT_TRUE(std::isfinite(element));
}

TEST(IndexSpace, IsTheSameOnEveryTarget) {
    std::mt19937_64 random(6);
    for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
        const Floats mean = random_vector(784, 0, random);
        const IndexSpace space(metric, 784, 11, mean);
        const Floats a = random_vector(784, 1, random);
        const Floats expected = in_space(space, a);
        on_each_target([&] { EXPECT_EQ(in_space(space, a), expected); });
    }
}

}  // namespace
}  // namespace lookalike

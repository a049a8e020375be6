#include "core/code/refine_code.h"

#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "core/vector/distance.h"
#include "each_target.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;
using Bytes = std::vector<uint8_t>;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
constexpr Refine kRefines[] = {Refine::kInt8, Refine::kHalf, Refine::kFloat};

Floats random_vector(uint32_t dims, double offset, double deviation, std::mt19937_64& random) {
    std::normal_distribution<double> normal(offset, deviation);
    Floats vector(dims);
    for (float& element : vector)
        element = static_cast<float>(normal(random));
    return vector;
}

double sql_distance(Metric metric, const Floats& a, const Floats& b) {
    const uint32_t dims = static_cast<uint32_t>(a.size());
    const DescriptorView left{Kind::kReal, dims, a.data()};
    const DescriptorView right{Kind::kReal, dims, b.data()};
    if (metric == Metric::kInnerProduct) return -inner_product(left, right);
    return metric == Metric::kL2 ? l2_distance(left, right) : cosine_distance(left, right);
}

Bytes encoded(const IndexSpace& space, Refine refine, const Floats& raw) {
    Floats vector(space.padded_dims());
    const double rounding = space.to_space(raw.data(), vector.data());
    Bytes slot(refine_bytes(refine, space.padded_dims()));
    encode_refine(refine, vector.data(), space.padded_dims(), rounding, slot.data());
    return slot;
}

/// Vectors of one kind, and neighbours of them: copies, copies with a changed last bit, others.
struct Sample {
    uint32_t dims;
    double offset;
    double deviation;

    std::vector<Floats> vectors(size_t count) const {
        std::mt19937_64 random(dims);
        std::vector<Floats> vectors;
        for (size_t i = 0; i < count; ++i) {
            vectors.push_back(i % 4 == 0 ? random_vector(dims, offset, deviation, random)
                                         : vectors[i - i % 4]);
            if (i % 4 == 1)
                for (float& element : vectors.back())
                    element = std::nextafter(element, random() % 2 ? 1e38f : -1e38f);
            if (i % 4 == 2) vectors.back()[random() % dims] *= 1.001f;
        }
        return vectors;
    }
};

/// Counts pairs whose bound is above what SQL says. Every vector meets every other and itself.
size_t count_violations(Metric metric, Refine refine, const Sample& sample, size_t count) {
    const std::vector<Floats> vectors = sample.vectors(count);
    const Floats mean(sample.dims,
                      static_cast<float>(metric == Metric::kCosine ? 0.01 : sample.offset));
    const IndexSpace space(metric, sample.dims, 9, mean);
    std::vector<Bytes> slots;
    for (const Floats& vector : vectors)
        slots.push_back(encoded(space, refine, vector));
    size_t violations = 0;
    for (const Floats& raw_query : vectors) {
        const SpaceQuery space_query = space.query(raw_query.data());
        const RefineQuery query(space_query);
        for (size_t i = 0; i < count; ++i) {
            const RefineBound bound = query.lower_bound(refine, slots[i].data());
            const double distance = sql_distance(metric, vectors[i], raw_query);
            violations += !(bound.distance <= distance);
            violations += !(key_to_distance(metric, bound.key) <= distance);
        }
    }
    return violations;
}

TEST(RefineCode, AMillionBoundsAreNeverAboveTheDistance) {
    on_each_target([] {
        for (const Metric metric : kMetrics)
            EXPECT_EQ(count_violations(metric, Refine::kInt8, {128, 0.1, 1}, 1000), 0u)
                << int(metric);
    });
}

TEST(RefineCode, BoundsHoldForOddSizesAndMagnitudes) {
    const Sample samples[] = {
        {1, 0, 1},         {3, 0, 1},         {100, 5, 1},         {784, 100, 30},
        {2048, 0, 1},      {128, 1000, 1e-3}, {128, 1e6, 1e6},     {128, 1e12, 1},
        {128, 1e15, 1e15}, {128, 1e19, 1e19}, {128, 0, 1e37},      {128, 0, 1e-15},
        {128, 0, 1e-20},   {128, 0, 1e-30},   {128, 1e-40, 1e-41}, {16, 1e-3, 1e-19},
    };
    on_each_target([&] {
        for (const Sample& sample : samples)
            for (const Metric metric : kMetrics)
                for (const Refine refine : kRefines)
                    EXPECT_EQ(count_violations(metric, refine, sample, 40), 0u)
                        << "metric " << int(metric) << ", refine " << int(refine) << ", "
                        << sample.dims << " dims around " << sample.offset << " +- "
                        << sample.deviation;
    });
}

/// A bound that is always low would pass the tests above.
TEST(RefineCode, BoundsAreTight) {
    std::mt19937_64 random(2);
    for (const Metric metric : kMetrics)
        for (const Refine refine : kRefines) {
            const IndexSpace space(metric, 128, 9, {});
            double gap = 0;
            for (int i = 0; i < 100; ++i) {
                const Floats a = random_vector(128, 0, 1, random);
                const Floats b = random_vector(128, 0, 1, random);
                const SpaceQuery query = space.query(a.data());
                const RefineBound bound =
                    RefineQuery(query).lower_bound(refine, encoded(space, refine, b).data());
                const double distance = sql_distance(metric, b, a);
                gap = std::max(gap, distance - bound.distance);
                EXPECT_NEAR(key_to_distance(metric, bound.key), bound.distance,
                            1e-6 * std::abs(bound.distance));
            }
            // Distances are about 16, inner products +-11 with |q||o| = 128, cosines 1.
            const double unit = metric == Metric::kL2 ? 16 : metric == Metric::kCosine ? 1 : 128;
            const double share = refine == Refine::kInt8 ? 0.012 : 6e-4;
            EXPECT_LT(gap, unit * share) << int(metric) << " " << int(refine);
            EXPECT_GT(gap, 0);
        }
}

TEST(RefineCode, DecodesWhatWasEncoded) {
    std::mt19937_64 random(5);
    const Sample samples[] = {{3, 0, 1}, {128, 1000, 1e-3}, {784, 100, 30}, {2048, 0, 1e-20}};
    for (const Sample& sample : samples)
        for (const Refine refine : kRefines)
            for (const Floats& raw : sample.vectors(8)) {
                const IndexSpace space(Metric::kL2, sample.dims, 9, {});
                Floats vector(space.padded_dims());
                space.to_space(raw.data(), vector.data());
                const Bytes slot = encoded(space, refine, raw);
                RefineHeader header;
                std::memcpy(&header, slot.data(), sizeof header);
                Floats expected;
                on_each_target([&] {
                    Floats decoded(space.padded_dims(), NAN);
                    ASSERT_TRUE(
                        decode_refine(refine, slot.data(), space.padded_dims(), decoded.data()));
                    const double lost = std::sqrt(
                        exact_l2_squared(vector.data(), decoded.data(), space.padded_dims()));
                    EXPECT_LE(lost, header.error + double{header.norm} * 0x1p-24)
                        << int(refine) << ", " << sample.dims;
                    EXPECT_TRUE(expected.empty() || decoded == expected);
                    expected = decoded;
                });
            }
}

TEST(RefineCode, DoesNotDecodeWhatIsNoVector) {
    for (const Refine refine : kRefines)
        for (const float element : {3e38f, -3e38f, INFINITY, NAN}) {
            const IndexSpace space(Metric::kL2, 128, 9, {});
            Floats decoded(128);
            Bytes slot = encoded(space, refine, Floats(128, 1));
            EXPECT_TRUE(decode_refine(refine, slot.data(), 128, decoded.data()));
            const size_t at = refine == Refine::kFloat ? sizeof(RefineHeader) + 4 * 127 : 0;
            std::memcpy(slot.data() + at, &element, sizeof element);
            EXPECT_FALSE(decode_refine(refine, slot.data(), 128, decoded.data()));
            // Too long for float arithmetic.
            slot = encoded(space, refine, Floats(128, 1e30f));
            EXPECT_FALSE(decode_refine(refine, slot.data(), 128, decoded.data()));
        }
}

TEST(RefineCode, EncodesTheSameOnEveryTarget) {
    std::mt19937_64 random(4);
    const Floats raw = random_vector(784, 1, 1, random);
    for (const Refine refine : kRefines) {
        const IndexSpace space(Metric::kCosine, 784, 9, {});
        const Bytes expected = encoded(space, refine, raw);
        on_each_target([&] { EXPECT_EQ(encoded(space, refine, raw), expected); });
    }
}

TEST(RefineCode, FingerprintsTellCodesApart) {
    std::mt19937_64 random(3);
    const uint32_t dims = 100;
    for (const Metric metric : kMetrics) {
        const IndexSpace space(metric, dims, 7, {});
        const Floats raw = random_vector(dims, 0, 1, random);
        const SpaceQuery query = space.query(raw.data());
        const RefineQuery refine_query(query);
        for (const Refine refine : kRefines) {
            std::set<uint32_t> seen;
            for (uint32_t i = 0; i < 2000; ++i) {
                Floats row = random_vector(dims, 0, 1, random);
                // Near the query bounds are all zero.
                if (i % 2 == 0)
                    for (uint32_t d = 0; d < dims; ++d)
                        row[d] = raw[d] + row[d] * 1e-4f;
                const Bytes slot = encoded(space, refine, row);
                const uint32_t fingerprint =
                    refine_query.lower_bound(refine, slot.data()).fingerprint;
                EXPECT_EQ(refine_query.lower_bound(refine, Bytes(slot).data()).fingerprint,
                          fingerprint);
                seen.insert(fingerprint);
            }
            EXPECT_EQ(seen.size(), 2000u);
            EXPECT_FALSE(seen.contains(0));
            // Vectors that are too long for float arithmetic look alike.
            const Bytes slot = encoded(space, refine, Floats(dims, 1e30f));
            if (metric == Metric::kCosine) continue;
            EXPECT_EQ(refine_query.lower_bound(refine, slot.data()).fingerprint, 0u);
        }
    }
}

TEST(RefineCode, APointIsAsSmallAsRounding) {
    std::mt19937_64 random(4);
    for (const uint32_t dims : {3u, 100u, 2000u}) {
        for (const Metric metric : kMetrics) {
            const IndexSpace space(metric, dims, 7, {});
            const Floats raw = random_vector(dims, 0.5, 1, random);
            const Floats row = random_vector(dims, 0.5, 1, random);
            const SpaceQuery query = space.query(raw.data());
            Floats vector(space.padded_dims());
            const double rounding = space.to_space(row.data(), vector.data());
            const double key =
                exact_l2_squared(query.vector.get(), vector.data(), space.padded_dims());
            const auto is_point = [&](double radius) {
                return RefineQuery(query).is_point(static_cast<float>(key), round_up(radius));
            };
            EXPECT_TRUE(is_point(0));
            EXPECT_TRUE(is_point(rounding));
            EXPECT_FALSE(is_point(std::sqrt(key) * 1e-3));
            EXPECT_FALSE(is_point(INFINITY));
        }
    }
}

TEST(RefineCode, SizesAreWhatTheyTake) {
    EXPECT_EQ(refine_bytes(Refine::kInt8, 128), 140u);
    EXPECT_EQ(refine_bytes(Refine::kHalf, 128), 268u);
    EXPECT_EQ(refine_bytes(Refine::kFloat, 128), 524u);
    EXPECT_EQ(refine_bytes(Refine::kNone, 128), 0u);
}

}  // namespace
}  // namespace lookalike

#include "core/code/scan_code.h"

#include <cmath>
#include <random>
#include <vector>

#include "each_target.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

/// Points around a few centres that lie away from the origin, as descriptors do.
class Cloud {
  public:
    Cloud(uint32_t dims, uint64_t seed) : dims_(dims), random_(seed) {
        for (int i = 0; i < 8; ++i)
            centers_.push_back(around(Floats(dims, 0.5f), 1));
    }
    const Floats& center(size_t i) const { return centers_[i % centers_.size()]; }
    Floats point(size_t i) { return around(center(i), 0.6f); }
    /// The mean that a build would find: of the normalised points for cosine.
    Floats mean(Metric metric) const {
        Floats mean(dims_);
        for (const Floats& center : centers_) {
            double weight = 1.0 / static_cast<double>(centers_.size());
            if (metric == Metric::kCosine)
                weight /= std::sqrt(exact_dot(center.data(), center.data(), dims_));
            for (uint32_t i = 0; i < dims_; ++i)
                mean[i] += static_cast<float>(center[i] * weight);
        }
        return mean;
    }

  private:
    Floats around(const Floats& center, float deviation) {
        std::normal_distribution<float> normal(0, deviation);
        Floats point = center;
        for (float& element : point)
            element += normal(random_);
        return point;
    }
    uint32_t dims_;
    std::mt19937_64 random_;
    std::vector<Floats> centers_;
};

double true_key(Metric metric, const Floats& a, const Floats& b) {
    const size_t dims = a.size();
    const double product = exact_dot(a.data(), b.data(), dims);
    if (metric == Metric::kInnerProduct) return -product;
    if (metric == Metric::kL2) return exact_l2_squared(a.data(), b.data(), dims);
    const double norms = std::sqrt(exact_dot(a.data(), a.data(), dims)) *
                         std::sqrt(exact_dot(b.data(), b.data(), dims));
    return 2 - 2 * product / norms;
}

Floats in_space(const IndexSpace& space, const Floats& raw) {
    Floats out(space.padded_dims());
    space.to_space(raw.data(), out.data());
    return out;
}

struct Column {
    Floats base = Floats(kBlockEntries);
    Floats scale = Floats(kBlockEntries);
    Floats error = Floats(kBlockEntries);
    void set(size_t entry, const ScanFactors& factors) {
        base[entry] = factors.base;
        scale[entry] = factors.scale;
        error[entry] = factors.error;
    }
    ScanColumns columns() const { return {base.data(), scale.data(), error.data()}; }
};

/// How often the bound holds, and how far estimates lie off in units of the promised error.
struct Tally {
    size_t pairs = 0;
    size_t held = 0;
    double squared_deviation = 0;
    double bias = 0;
};

Tally tally(Metric metric, uint32_t dims, double epsilon, size_t blocks) {
    Cloud cloud(dims, dims);
    const IndexSpace space(metric, dims, 5, cloud.mean(metric));
    Tally tally;
    std::vector<uint8_t> codes(space.padded_dims() / kDimsPerGroup * kGroupBytes);
    std::vector<uint8_t> signs(scan_code_bytes(space.padded_dims()));
    for (size_t block = 0; block < blocks; ++block) {
        const Floats centroid = in_space(space, cloud.center(block));
        std::vector<Floats> raw;
        Column column;
        for (size_t entry = 0; entry < kBlockEntries; ++entry) {
            raw.push_back(cloud.point(block));
            const Floats vector = in_space(space, raw.back());
            column.set(entry,
                       encode_scan_code(space, vector.data(), centroid.data(), signs.data()));
            set_code(codes.data(), entry, signs.data(), space.padded_dims() / kDimsPerGroup);
        }
        for (size_t q = 0; q < 4; ++q) {
            const Floats raw_query = cloud.point(block + q);
            const SpaceQuery space_query = space.query(raw_query.data());
            const ScanQuery query(space_query, epsilon);
            ScanTerms terms = query.terms(centroid.data());
            float bounds[kBlockEntries];
            scan_block(query.table(), codes.data(), query.group_count(), column.columns(), terms, 0,
                       bounds);
            const double unit = std::sqrt(
                exact_l2_squared(space_query.vector.get(), centroid.data(), space.padded_dims()));
            for (size_t entry = 0; entry < kBlockEntries; ++entry) {
                const double key = true_key(metric, raw[entry], raw_query);
                const double deviation =
                    (bounds[entry] + epsilon * unit * column.error[entry] - key) /
                    (unit * column.error[entry]);
                ++tally.pairs;
                tally.held += bounds[entry] <= key;
                tally.squared_deviation += deviation * deviation;
                tally.bias += deviation;
            }
        }
    }
    return tally;
}

TEST(ScanCode, EpsilonGrowsWithTheRecall) {
    EXPECT_EQ(scan_epsilon(0), 1);
    EXPECT_EQ(scan_epsilon(0.5), 1);
    EXPECT_NEAR(scan_epsilon(0.9), 1.45, 0.01);
    EXPECT_NEAR(scan_epsilon(0.95), 1.65, 0.01);
    EXPECT_NEAR(scan_epsilon(0.99), 2.1, 0.01);
    EXPECT_NEAR(scan_epsilon(0.999), 2.75, 0.01);
    EXPECT_EQ(scan_epsilon(1), kFullRecallEpsilon);
}

TEST(ScanCode, BoundsHoldAsOftenAsEpsilonPromises) {
    for (const Metric metric : kMetrics)
        for (const uint32_t dims : {64u, 128u, 784u, 2048u}) {
            SCOPED_TRACE(testing::Message() << int(metric) << " with " << dims);
            const Tally bounds = tally(metric, dims, kDefaultScanEpsilon, 60);
            // One-sided normal: 1.9 standard errors hold in 97.1 % of pairs.
            EXPECT_GT(static_cast<double>(bounds.held) / bounds.pairs, 0.965);
            // An estimate alone is right half of the time, off by one standard error at most.
            const Tally estimates = tally(metric, dims, 0, 60);
            EXPECT_NEAR(static_cast<double>(estimates.held) / estimates.pairs, 0.5, 0.06);
            EXPECT_NEAR(estimates.bias / estimates.pairs, 0, 0.12);
            const double deviation = std::sqrt(estimates.squared_deviation / estimates.pairs);
            EXPECT_LT(deviation, 1.1);
            EXPECT_GT(deviation, 0.5);
        }
}

TEST(ScanCode, AnEntryAtItsCentroidHasAnExactKey) {
    for (const Metric metric : kMetrics) {
        Cloud cloud(100, 3);
        const IndexSpace space(metric, 100, 5, cloud.mean(metric));
        const Floats raw = cloud.point(0);
        const Floats raw_query = cloud.point(1);
        const Floats vector = in_space(space, raw);
        std::vector<uint8_t> signs(scan_code_bytes(space.padded_dims()));
        const ScanFactors factors =
            encode_scan_code(space, vector.data(), vector.data(), signs.data());
        EXPECT_EQ(factors.base, 0);
        EXPECT_EQ(factors.scale, 0);
        EXPECT_EQ(factors.error, 0);
        const SpaceQuery query = space.query(raw_query.data());
        const double key = true_key(metric, raw, raw_query);
        EXPECT_NEAR(ScanQuery(query).terms(vector.data()).list_term, key,
                    1e-5 * (1 + std::abs(key)));
    }
}

TEST(ScanCode, ACodeTellsWhereItsEntryIs) {
    for (const Metric metric : kMetrics) {
        for (const uint32_t dims : {64u, 200u, 784u}) {
            Cloud cloud(dims, 4);
            const IndexSpace space(metric, dims, 5, cloud.mean(metric));
            const size_t padded = space.padded_dims();
            const Floats centroid = in_space(space, cloud.center(0));
            std::vector<uint8_t> signs(scan_code_bytes(space.padded_dims()));
            Floats decoded(padded);
            for (int i = 0; i < 50; ++i) {
                const Floats vector = in_space(space, cloud.point(0));
                const ScanFactors factors =
                    encode_scan_code(space, vector.data(), centroid.data(), signs.data());
                const double besides =
                    decode_scan_code(space, factors, signs.data(), centroid.data(), decoded.data());
                const double away = exact_l2_squared(vector.data(), centroid.data(), padded);
                const double missed = exact_l2_squared(vector.data(), decoded.data(), padded);
                EXPECT_NEAR(missed, besides * besides, 1e-3 * away);
                // At a right angle to the residual.
                EXPECT_NEAR(exact_l2_squared(centroid.data(), decoded.data(), padded),
                            away + missed, 1e-3 * away);
                // Of normal elements pi / 2 - 1.
                EXPECT_NEAR(missed / away, 0.57, 0.45);
            }
            // An entry at its centroid.
            const ScanFactors none =
                encode_scan_code(space, centroid.data(), centroid.data(), signs.data());
            EXPECT_EQ(decode_scan_code(space, none, signs.data(), centroid.data(), decoded.data()),
                      0);
            EXPECT_EQ(decoded, centroid);
        }
    }
}

TEST(ScanCode, EncodesTheSameOnEveryTarget) {
    for (const Metric metric : kMetrics) {
        Cloud cloud(784, 4);
        const IndexSpace space(metric, 784, 5, cloud.mean(metric));
        const Floats raw = cloud.point(0);
        const Floats center = cloud.center(0);
        std::vector<uint8_t> first_signs;
        ScanFactors first{};
        on_each_target([&] {
            std::vector<uint8_t> signs(scan_code_bytes(space.padded_dims()));
            const ScanFactors factors = encode_scan_code(
                space, in_space(space, raw).data(), in_space(space, center).data(), signs.data());
            if (first_signs.empty()) {
                first_signs = signs;
                first = factors;
            }
            EXPECT_EQ(signs, first_signs);
            EXPECT_EQ(factors.base, first.base);
            EXPECT_EQ(factors.scale, first.scale);
            EXPECT_EQ(factors.error, first.error);
        });
    }
}

TEST(ScanCode, AZeroQueryAndAnOverlongOneAreHarmless) {
    const IndexSpace space(Metric::kL2, 128, 5, {});
    for (const float element : {0.0f, 3e38f}) {
        const Floats raw(128, element);
        const SpaceQuery query = space.query(raw.data());
        const ScanQuery scan(query);
        const Floats centroid(128);
        EXPECT_EQ(scan.terms(centroid.data()).list_term, 0);
        EXPECT_TRUE(std::isfinite(scan.terms(centroid.data()).offset));
    }
}

}  // namespace
}  // namespace lookalike

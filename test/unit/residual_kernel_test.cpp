#include "core/code/residual_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "each_target.h"

namespace lookalike {
namespace {

struct Vectors {
    explicit Vectors(size_t dims) : entry(dims), centroid(dims), mean(dims), signs(dims / 8) {
        std::mt19937 random(static_cast<uint32_t>(dims));
        std::normal_distribution<float> normal;
        for (auto* vector : {&entry, &centroid, &mean})
            for (float& x : *vector)
                x = normal(random);
        entry[dims / 2] = centroid[dims / 2];  // no sign
    }
    std::vector<float> entry, centroid, mean;
    std::vector<uint8_t> signs;
};

// Eight sums side by side, then one after the other, whatever the instruction set.
template <class Term>
double wanted_sum(const Vectors& of, Term term) {
    double lanes[8] = {};
    for (size_t i = 0; i < of.entry.size(); ++i) {
        const double residual = double{of.entry[i]} - double{of.centroid[i]};
        lanes[i % 8] += term(residual, double{of.centroid[i]}, double{of.mean[i]});
    }
    double sum = 0;
    for (const double lane : lanes)
        sum += lane;
    return sum;
}

TEST(ResidualKernel, IsTheSameToTheLastBitOnEveryTarget) {
    on_each_target([] {
        for (const size_t dims : {8u, 16u, 64u, 72u, 1024u}) {
            Vectors of(dims);
            const ResidualSums sums =
                residual_sums(of.entry.data(), of.centroid.data(), dims, of.signs.data());
            EXPECT_EQ(sums.squared, wanted_sum(of, [](double r, double, double) { return r * r; }));
            EXPECT_EQ(sums.absolute,
                      wanted_sum(of, [](double r, double, double) { return std::abs(r); }));
            EXPECT_EQ(sums.signed_centroid,
                      wanted_sum(of, [](double r, double c, double) { return r > 0 ? c : -c; }));
            EXPECT_EQ(residual_dot(of.entry.data(), of.centroid.data(), of.mean.data(), dims),
                      wanted_sum(of, [](double r, double c, double m) { return r * (c + m); }));
            for (size_t i = 0; i < dims; ++i)
                EXPECT_EQ(of.signs[i / 8] >> (i % 8) & 1, of.entry[i] > of.centroid[i]) << i;
        }
    });
}

}  // namespace
}  // namespace lookalike

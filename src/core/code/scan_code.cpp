#include "core/code/scan_code.h"

#include <algorithm>
#include <cmath>

#include "core/code/residual_kernel.h"
#include "core/no_postgres.h"
#include "core/vector/distance_kernels.h"

namespace lookalike {
namespace {

constexpr size_t kTableEntries = 16;
constexpr float kLargestTableEntry = 255;

// The rounding of table entries is an error of its own, which the bound covers to this many of its
// standard deviations: it is so much smaller than the code's error that this costs nothing.
constexpr double kTableRoundingDeviations = 3;

// Measured on descriptors of 3 to 784 dimensions (docs/CODES.md) for recalls from 0.9 on.
constexpr double kEpsilonOfNone = 0.8;
constexpr double kLeastEpsilon = 1;
constexpr double kEpsilonOfDigit = 0.65;

}  // namespace

ScanFactors encode_scan_code(const IndexSpace& space, const float* entry, const float* centroid,
                             uint8_t* signs) {
    const size_t dims = space.padded_dims();
    const double root = std::sqrt(static_cast<double>(dims));
    const ResidualSums sums = residual_sums(entry, centroid, dims, signs);
    // <r, v> is estimated as g * <x, v>, exact for v along r. The part of g x that is orthogonal to
    // r is what the estimate gets wrong; its square is (g x)^2 - r^2.
    const double g = sums.squared > 0 ? sums.squared / sums.absolute : 0;
    const double orthogonal = std::max(0.0, g * g * static_cast<double>(dims) - sums.squared);
    const double error = std::sqrt(orthogonal / static_cast<double>(dims - 1));
    const double code_centroid = g * sums.signed_centroid;
    if (space.metric() == Metric::kInnerProduct) {
        // -<o, q> = -<m, q> - <c, P q> - <r, c + P m> - <r, P(q - m) - c>
        const double residual_list =
            residual_dot(entry, centroid, space.mean_in_space().data(), dims);
        return {.base = static_cast<float>(code_centroid - residual_list),
                .scale = static_cast<float>(g * root),
                .error = static_cast<float>(error)};
    }
    // |q - o|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>
    return {.base = static_cast<float>(sums.squared + 2 * code_centroid),
            .scale = static_cast<float>(2 * g * root),
            .error = static_cast<float>(2 * error)};
}

// The signs x times g are the residual r and a part that is orthogonal to it, of which the error
// tells the length.
double decode_scan_code(const IndexSpace& space, const ScanFactors& factors, const uint8_t* signs,
                        const float* centroid, float* out) {
    const size_t dims = space.padded_dims();
    const auto count = static_cast<double>(dims);
    const double unit = space.metric() == Metric::kInnerProduct ? 1 : 2;
    const double g = factors.scale / (unit * std::sqrt(count));
    for (size_t i = 0; i < dims; ++i) {
        const bool is_positive = signs[i / 8] >> (i % 8) & 1;
        out[i] = static_cast<float>(centroid[i] + (is_positive ? g : -g));
    }
    return factors.error / unit * std::sqrt(count - 1);
}

double scan_epsilon(double recall) {
    const double digits = -std::log10(1 - recall);  // 2 at 0.99, infinite at 1
    return std::clamp(kEpsilonOfNone + kEpsilonOfDigit * digits, kLeastEpsilon, kFullRecallEpsilon);
}

ScanQuery::ScanQuery(const SpaceQuery& query, double epsilon)
    : query_(query),
      epsilon_(epsilon),
      table_(hwy::AllocateAligned<uint8_t>(query.padded_dims / kDimsPerGroup * kTableEntries)) {
    fill_table();
}

/// A table entry is (<x, q> over its group - the least such value) / step, x being +-1/sqrt(D).
void ScanQuery::fill_table() {
    const float* vector = query_.vector.get();
    const float unit = static_cast<float>(1 / std::sqrt(static_cast<double>(query_.padded_dims)));
    float widest = 0;
    double total = 0;
    for (size_t group = 0; group < group_count(); ++group) {
        const float* q = vector + group * kDimsPerGroup;
        const float reach = std::fabs(q[0]) + std::fabs(q[1]) + std::fabs(q[2]) + std::fabs(q[3]);
        widest = std::max(widest, reach);
        total += reach;
    }
    step_ = 2 * widest * unit / kLargestTableEntry;
    const float per_unit = widest > 0 ? kLargestTableEntry / (2 * widest) : 0;
    fill_scan_table(vector, group_count(), per_unit, table_.get());
    const double rounding = epsilon_ > 0 ? kTableRoundingDeviations * step_ *
                                               std::sqrt(static_cast<double>(group_count()) / 12)
                                         : 0;
    offset_ = static_cast<float>(rounding - total * unit);
}

ScanTerms ScanQuery::terms(const float* centroid) const {
    const size_t dims = query_.padded_dims;
    const float squared = l2_squared(query_.vector.get(), centroid, dims);
    ScanTerms terms{.list_term = squared,
                    .gain = static_cast<float>(epsilon_) * std::sqrt(squared),
                    .offset = offset_,
                    .step = step_};
    if (query_.metric == Metric::kInnerProduct)
        terms.list_term =
            static_cast<float>(-query_.mean_product - dot(query_.raw.get(), centroid, dims));
    return terms;
}

}  // namespace lookalike

#include "core/vector/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/no_postgres.h"
#include "core/vector/distance_kernels.h"
#include "core/vector/half.h"

namespace lookalike {
namespace {

// A square or product below the smallest normal float loses at most 2^-150 to rounding, 16,000 of
// them less than 2^-136. Beside a sum this large that is nothing; a smaller sum is done in double.
constexpr float kSmallestTrustedSum = 0x1p-100f;

bool is_trusted(float sum) {
    const float magnitude = std::fabs(sum);
    return magnitude >= kSmallestTrustedSum && magnitude <= std::numeric_limits<float>::max();
}

double widen(float value) {
    return value;
}

double widen(uint16_t half) {
    return half_to_float(half);
}

/// Sum of term(a[i], b[i]) in double, where neither squares of floats nor their sums over- or
/// underflow. The rare path: one element at a time.
template <class A, class B, class Term>
double slow_sum(const A* a, const B* b, size_t dims, Term term) {
    double sum = 0;
    for (size_t i = 0; i < dims; ++i)
        sum += term(widen(a[i]), widen(b[i]));
    return sum;
}

double product(double x, double y) {
    return x * y;
}

double squared_difference(double x, double y) {
    return (x - y) * (x - y);
}

double absolute_difference(double x, double y) {
    return std::fabs(x - y);
}

/// Calls function(kernels of the pair, a's elements, b's elements). Half comes before real, so that
/// both orders of a mixed pair run the same kernel on the same operands. Inlined by force: a call
/// is a tenth of the time that a short vector takes.
template <class Function>
[[gnu::always_inline]] inline double with_elements(const DescriptorView& a, const DescriptorView& b,
                                                   Function function) {
    const Kernels& chosen = kernels();
    if (a.kind == Kind::kReal) {
        if (b.kind == Kind::kReal) return function(chosen.real_real, a.reals(), b.reals());
        return function(chosen.half_real, b.halves(), a.reals());
    }
    if (b.kind == Kind::kReal) return function(chosen.half_real, a.halves(), b.reals());
    return function(chosen.half_half, a.halves(), b.halves());
}

}  // namespace

double l2_squared_distance(const DescriptorView& a, const DescriptorView& b) {
    const size_t dims = a.dims;
    return with_elements(a, b, [dims](const auto& pair, const auto* x, const auto* y) -> double {
        const float sum = pair.l2_squared(x, y, dims);
        if (is_trusted(sum)) [[likely]]
            return sum;
        // Equal values are common and need no second look: no difference of floats rounds to 0.
        if (sum == 0 && pair.l1(x, y, dims) == 0) return 0;
        return slow_sum(x, y, dims, squared_difference);
    });
}

double l2_distance(const DescriptorView& a, const DescriptorView& b) {
    return std::sqrt(l2_squared_distance(a, b));
}

double l1_distance(const DescriptorView& a, const DescriptorView& b) {
    const size_t dims = a.dims;
    return with_elements(a, b, [dims](const auto& pair, const auto* x, const auto* y) -> double {
        const float sum = pair.l1(x, y, dims);
        // Sums of denormals are exact: only overflow matters.
        if (std::isfinite(sum)) [[likely]]
            return sum;
        return slow_sum(x, y, dims, absolute_difference);
    });
}

double inner_product(const DescriptorView& a, const DescriptorView& b) {
    const size_t dims = a.dims;
    return with_elements(a, b, [dims](const auto& pair, const auto* x, const auto* y) -> double {
        const float sum = pair.dot(x, y, dims);
        if (is_trusted(sum)) [[likely]]
            return sum;
        return slow_sum(x, y, dims, product);
    });
}

double cosine_distance(const DescriptorView& a, const DescriptorView& b) {
    const size_t dims = a.dims;
    return with_elements(a, b, [dims](const auto& pair, const auto* x, const auto* y) -> double {
        const CosineSums sums = pair.cosine(x, y, dims);
        double dot = sums.dot;
        double a_squared = sums.a_squared;
        double b_squared = sums.b_squared;
        // A small dot product is fine: it is measured against the norms.
        if (!is_trusted(sums.a_squared) || !is_trusted(sums.b_squared) || !std::isfinite(sums.dot))
            [[unlikely]] {
            dot = slow_sum(x, y, dims, product);
            a_squared = slow_sum(x, x, dims, product);
            b_squared = slow_sum(y, y, dims, product);
            if (a_squared == 0 || b_squared == 0) return std::numeric_limits<double>::quiet_NaN();
        }
        // The product of two sums of squared floats stays within 1e-180 and 1e163, and one root of
        // it is exact for equal sums, so that a value is at distance 0 from itself.
        return std::clamp(1 - dot / std::sqrt(a_squared * b_squared), 0.0, 2.0);
    });
}

double norm(const DescriptorView& a) {
    return std::sqrt(inner_product(a, a));
}

double hamming_distance(const DescriptorView& a, const DescriptorView& b) {
    const size_t bytes = element_bytes(Kind::kBit, a.dims);
    return static_cast<double>(kernels().hamming(a.bits(), b.bits(), bytes));
}

double jaccard_distance(const DescriptorView& a, const DescriptorView& b) {
    const BitCounts counts =
        kernels().jaccard(a.bits(), b.bits(), element_bytes(Kind::kBit, a.dims));
    if (counts.both == 0) return 1;
    return 1 - static_cast<double>(counts.both) / static_cast<double>(counts.either);
}

}  // namespace lookalike

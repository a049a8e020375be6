#include "core/code/index_space.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint32_t kDimsStep = 64;
constexpr uint32_t kMinimumPaddedDims = 128;

// Squares of longer vectors, times what a rotation gains on the way, leave the range of float.
constexpr double kLongestNorm = 1e17;

// Float rounding is relative only down to the denormals: each element may lose this much besides.
constexpr double kUnderflow = 0x1p-126;

/// Eight sums side by side, in an order that no compiler flag or instruction set changes.
template <class Term>
double fixed_order_sum(size_t dims, Term term) {
    double sums[8] = {};
    size_t i = 0;
    for (; i + 8 <= dims; i += 8)
        for (size_t lane = 0; lane < 8; ++lane)
            sums[lane] += term(i + lane);
    for (; i < dims; ++i)
        sums[i % 8] += term(i);
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
           ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Room for the rotation: on the stack for usual lengths, so that threads share nothing.
class Scratch {
  public:
    explicit Scratch(size_t floats) {
        if (floats > kInlineFloats) large_ = hwy::AllocateAligned<float>(floats);
    }
    float* data() { return large_ ? large_.get() : inline_; }

  private:
    static constexpr size_t kInlineFloats = 2048;
    alignas(64) float inline_[kInlineFloats];
    AlignedFloats large_;
};

}  // namespace

double exact_dot(const float* a, const float* b, size_t dims) {
    return fixed_order_sum(dims, [=](size_t i) { return double{a[i]} * double{b[i]}; });
}

double exact_l2_squared(const float* a, const float* b, size_t dims) {
    return fixed_order_sum(dims, [=](size_t i) {
        const double difference = double{a[i]} - double{b[i]};
        return difference * difference;
    });
}

uint32_t IndexSpace::padded_dims(uint32_t dims) {
    return std::max(kMinimumPaddedDims, (dims + kDimsStep - 1) / kDimsStep * kDimsStep);
}

IndexSpace::IndexSpace(Metric metric, uint32_t dims, uint64_t seed, std::span<const float> mean)
    : metric_(metric),
      dims_(dims),
      rotation_(padded_dims(dims), seed),
      mean_(mean.begin(), mean.end()),
      mean_in_space_(padded_dims()) {
    mean_.resize(dims);
    std::copy(mean_.begin(), mean_.end(), mean_in_space_.begin());
    mean_norm_ = std::sqrt(exact_dot(mean_.data(), mean_.data(), dims));
    rotate(mean_in_space_.data(), mean_norm_);
}

/// Pads, rotates in place, and returns a bound of the rounding.
double IndexSpace::rotate(float* vector, double norm) const {
    std::fill(vector + dims_, vector + padded_dims(), 0.0f);
    if (!(norm <= kLongestNorm)) {
        std::fill(vector, vector + padded_dims(), 0.0f);
        return std::numeric_limits<double>::infinity();
    }
    Scratch scratch(padded_dims());
    rotation_.apply(vector, scratch.data());
    return rotation_.relative_error() * norm + padded_dims() * kUnderflow;
}

double IndexSpace::to_space(const float* raw, float* out) const {
    double element_rounding = 0;
    if (needs_direction(metric_)) {
        const double inverse_norm = 1 / std::sqrt(exact_dot(raw, raw, dims_));
        for (uint32_t i = 0; i < dims_; ++i)
            out[i] = static_cast<float>(raw[i] * inverse_norm);
        for (uint32_t i = 0; i < dims_; ++i)
            out[i] -= mean_[i];
        element_rounding = 0x1p-23;
    } else {
        for (uint32_t i = 0; i < dims_; ++i)
            out[i] = raw[i] - mean_[i];
    }
    // Both the subtraction and the sum in double round relative to the difference.
    const double norm = std::sqrt(exact_dot(out, out, dims_));
    return rotate(out, norm) + norm * 0x1p-23 + element_rounding;
}

SpaceQuery IndexSpace::query(const float* raw) const {
    SpaceQuery query{.metric = metric_,
                     .dims = dims_,
                     .padded_dims = padded_dims(),
                     .vector = hwy::AllocateAligned<float>(padded_dims()),
                     .rounding = 0,
                     .raw = {},
                     .raw_rounding = 0,
                     .raw_norm = 0,
                     .mean_product = 0,
                     .mean_norm = mean_norm_};
    query.rounding = to_space(raw, query.vector.get());
    if (metric_ != Metric::kInnerProduct) return query;
    query.raw = hwy::AllocateAligned<float>(padded_dims());
    std::copy(raw, raw + dims_, query.raw.get());
    query.raw_norm = std::sqrt(exact_dot(raw, raw, dims_));
    query.raw_rounding = rotate(query.raw.get(), query.raw_norm);
    query.mean_product = exact_dot(mean_.data(), raw, dims_);
    return query;
}

}  // namespace lookalike

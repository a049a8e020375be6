// Where everything in an index lives: vectors minus the global mean, rotated.
#pragma once

#include <hwy/aligned_allocator.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/code/rotation.h"
#include "core/vector/metric.h"

namespace lookalike {

using AlignedFloats = hwy::AlignedFreeUniquePtr<float[]>;

/// A query as the index needs it. The vectors have padded_dims elements.
struct SpaceQuery {
    Metric metric;
    uint32_t dims;
    uint32_t padded_dims;
    AlignedFloats vector;  ///< P(q - m), cosine: of the normalised query
    double rounding;       ///< |vector - its exact value| is at most this; may be infinite
    AlignedFloats raw;     ///< inner product only: P(q), else null
    double raw_rounding;   ///< the same for `raw`
    double raw_norm;       ///< inner product only: |q|
    double mean_product;   ///< inner product only: <m, q>
    double mean_norm;      ///< |m|
};

/// L2 and inner product: x -> P(x - m). Cosine: x -> P(x / |x| - m). P is a Rotation of x padded
/// with zeros, m the mean of the table (of its normalised rows for cosine). Immutable, safe from
/// several threads. Not for binary metrics: bits are searched as they are.
class IndexSpace {
  public:
    /// `mean` has `dims` elements or none (then it is zero). REQUIRES: dims in [1, kMaxDims].
    IndexSpace(Metric metric, uint32_t dims, uint64_t seed, std::span<const float> mean);

    /// A multiple of 64. Short vectors are padded to 128: their codes would be too blunt.
    static uint32_t padded_dims(uint32_t dims);

    Metric metric() const { return metric_; }
    uint32_t dims() const { return dims_; }
    uint32_t padded_dims() const { return rotation_.dims(); }

    /// Writes padded_dims elements and returns an upper bound of the Euclidean length of what
    /// rounding did to them; infinite when the vector is too long for float arithmetic. The result
    /// is the same on all instruction sets. REQUIRES: `raw` finite, not zero for cosine.
    double to_space(const float* raw, float* out) const;

    /// P(m): padded_dims elements.
    std::span<const float> mean_in_space() const { return mean_in_space_; }
    double mean_norm() const { return mean_norm_; }

    /// REQUIRES: as to_space.
    SpaceQuery query(const float* raw) const;

  private:
    double rotate(float* vector, double norm) const;

    Metric metric_;
    uint32_t dims_;
    Rotation rotation_;
    std::vector<float> mean_;
    std::vector<float> mean_in_space_;
    double mean_norm_ = 0;
};

/// <a, b> and |a - b|^2 in double, the same on all instruction sets: for what is stored.
double exact_dot(const float* a, const float* b, size_t dims);
double exact_l2_squared(const float* a, const float* b, size_t dims);

}  // namespace lookalike

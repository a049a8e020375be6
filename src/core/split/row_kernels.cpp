#include "core/split/row_kernels.h"

#include <algorithm>
#include <limits>

#include "core/no_postgres.h"
#include "core/vector/distance_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/split/row_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;

HWY_INLINE void add_square(Vector a, Vector b, Vector& sum) {
    const Vector difference = hn::Sub(a, b);
    sum = hn::MulAdd(difference, difference, sum);
}

/// Of a last vector that overlaps the one before, the lanes that are new.
HWY_INLINE void add_new_squares(Mask seen, Vector a, Vector b, Vector& sum) {
    const Vector difference = hn::IfThenZeroElse(seen, hn::Sub(a, b));
    sum = hn::MulAdd(difference, difference, sum);
}

/// The sums of the lanes of four vectors, side by side: quicker than one after the other.
HWY_INLINE void sums_of_lanes(Vector v0, Vector v1, Vector v2, Vector v3, float* sums) {
#if HWY_TARGET == HWY_SCALAR
    sums[0] = hn::GetLane(v0), sums[1] = hn::GetLane(v1);
    sums[2] = hn::GetLane(v2), sums[3] = hn::GetLane(v3);
#else
    const Floats floats;
    const hn::Repartition<uint64_t, Floats> pairs;
    const auto even = hn::BitCast(
        pairs, hn::Add(hn::InterleaveLower(floats, v0, v1), hn::InterleaveUpper(floats, v0, v1)));
    const auto odd = hn::BitCast(
        pairs, hn::Add(hn::InterleaveLower(floats, v2, v3), hn::InterleaveUpper(floats, v2, v3)));
    HWY_ALIGN float of_blocks[hn::MaxLanes(floats)];
    hn::Store(hn::Add(hn::BitCast(floats, hn::InterleaveLower(pairs, even, odd)),
                      hn::BitCast(floats, hn::InterleaveUpper(pairs, even, odd))),
              floats, of_blocks);
    const hn::Full128<float> block;
    auto sum = hn::Load(block, of_blocks);
    for (size_t i = 4; i < hn::Lanes(floats); i += 4)
        sum = hn::Add(sum, hn::Load(block, of_blocks + i));
    hn::StoreU(sum, block, sums);
#endif
}

/// Distances of four rows to two centroids: each element that is loaded serves two or four.
/// REQUIRES: at least a vector of elements.
HWY_INLINE void square_distances(const float* const* rows, const float* a, const float* b,
                                 size_t dims, float* to_a, float* to_b) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    const float *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
    Vector a0 = hn::Zero(floats), a1 = a0, a2 = a0, a3 = a0;
    Vector b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    size_t i = 0;
    for (; i + lanes <= dims; i += lanes) {
        const Vector of_a = hn::LoadU(floats, a + i), of_b = hn::LoadU(floats, b + i);
        const Vector x0 = hn::LoadU(floats, row0 + i), x1 = hn::LoadU(floats, row1 + i);
        add_square(x0, of_a, a0), add_square(x0, of_b, b0);
        add_square(x1, of_a, a1), add_square(x1, of_b, b1);
        const Vector x2 = hn::LoadU(floats, row2 + i), x3 = hn::LoadU(floats, row3 + i);
        add_square(x2, of_a, a2), add_square(x2, of_b, b2);
        add_square(x3, of_a, a3), add_square(x3, of_b, b3);
    }
    if (i < dims) {
        const Mask seen = hn::FirstN(floats, i + lanes - dims);
        i = dims - lanes;
        const Vector of_a = hn::LoadU(floats, a + i), of_b = hn::LoadU(floats, b + i);
        const Vector x0 = hn::LoadU(floats, row0 + i), x1 = hn::LoadU(floats, row1 + i);
        add_new_squares(seen, x0, of_a, a0), add_new_squares(seen, x0, of_b, b0);
        add_new_squares(seen, x1, of_a, a1), add_new_squares(seen, x1, of_b, b1);
        const Vector x2 = hn::LoadU(floats, row2 + i), x3 = hn::LoadU(floats, row3 + i);
        add_new_squares(seen, x2, of_a, a2), add_new_squares(seen, x2, of_b, b2);
        add_new_squares(seen, x3, of_a, a3), add_new_squares(seen, x3, of_b, b3);
    }
    sums_of_lanes(a0, a1, a2, a3, to_a);
    sums_of_lanes(b0, b1, b2, b3, to_b);
}

void nearest_of_pairs(const float* const* rows, const float* centroids, uint32_t count, size_t dims,
                      uint32_t* nearest) {
    float least[kRowsAtOnce];
    std::fill_n(least, kRowsAtOnce, std::numeric_limits<float>::infinity());
    std::fill_n(nearest, kRowsAtOnce, 0);
    const bool narrow = dims < hn::Lanes(Floats());
    for (uint32_t pair = 0; pair < count; pair += 2) {
        const uint32_t second = std::min(pair + 1, count - 1);
        const float* a = centroids + pair * dims;
        const float* b = centroids + second * dims;
        float to_a[kRowsAtOnce], to_b[kRowsAtOnce];
        if (narrow) {
            for (size_t row = 0; row < kRowsAtOnce; ++row) {
                to_a[row] = l2_squared(rows[row], a, dims);
                to_b[row] = l2_squared(rows[row], b, dims);
            }
        } else {
            square_distances(rows, a, b, dims, to_a, to_b);
        }
        for (size_t row = 0; row < kRowsAtOnce; ++row) {
            const bool second_nearer = to_b[row] < to_a[row];
            const float nearer = second_nearer ? to_b[row] : to_a[row];
            if (nearer >= least[row]) continue;
            least[row] = nearer;
            nearest[row] = second_nearer ? second : pair;
        }
    }
}

void add_elements(const float* HWY_RESTRICT row, size_t dims, double* HWY_RESTRICT sums) {
    const hn::ScalableTag<double> doubles;
    const hn::Rebind<float, decltype(doubles)> floats;
    const size_t lanes = hn::Lanes(doubles);
    size_t i = 0;
    for (; i + lanes <= dims; i += lanes) {
        const auto elements = hn::PromoteTo(doubles, hn::LoadU(floats, row + i));
        hn::StoreU(hn::Add(hn::LoadU(doubles, sums + i), elements), doubles, sums + i);
    }
    for (; i < dims; ++i)
        sums[i] += row[i];
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(nearest_of_pairs);
HWY_EXPORT(add_elements);

}  // namespace

void nearest_centroids(const float* const* rows, const float* centroids, uint32_t count,
                       size_t dims, uint32_t* nearest) {
    HWY_DYNAMIC_DISPATCH(nearest_of_pairs)(rows, centroids, count, dims, nearest);
}

void add_to_sums(const float* row, size_t dims, double* sums) {
    HWY_DYNAMIC_DISPATCH(add_elements)(row, dims, sums);
}

}  // namespace lookalike
#endif

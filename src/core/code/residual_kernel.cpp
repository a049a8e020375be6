#include "core/code/residual_kernel.h"

#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/code/residual_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Eight dimensions side by side, one for each bit of a byte; shorter vectors pass several times.
/// Products are rounded before they are added.
constexpr size_t kSideBySide = 8;
using Doubles = HWY_CAPPED(double, 8);
using Vector = hn::Vec<Doubles>;

HWY_INLINE Vector load(const float* from) {
    return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), from));
}

HWY_INLINE double sum_of(const double* lanes) {
    double sum = 0;
    for (size_t i = 0; i < kSideBySide; ++i)
        sum += lanes[i];
    return sum;
}

ResidualSums sums(const float* HWY_RESTRICT entry, const float* HWY_RESTRICT centroid, size_t dims,
                  uint8_t* HWY_RESTRICT signs) {
    const Doubles doubles;
    double squares[kSideBySide], absolutes[kSideBySide], centers[kSideBySide];
    std::memset(signs, 0, dims / kSideBySide);
    for (size_t first = 0; first < kSideBySide; first += hn::Lanes(doubles)) {
        Vector squared = hn::Zero(doubles), absolute = squared, signed_centroid = squared;
        for (size_t i = first; i < dims; i += kSideBySide) {
            const Vector center = load(centroid + i);
            const Vector residual = hn::Sub(load(entry + i), center);
            const auto is_positive = hn::Gt(residual, hn::Zero(doubles));
            squared = hn::Add(squared, hn::Mul(residual, residual));
            absolute = hn::Add(absolute, hn::Abs(residual));
            signed_centroid =
                hn::Add(signed_centroid, hn::IfThenElse(is_positive, center, hn::Neg(center)));
            uint8_t bits[8];  // StoreMaskBits may write so many
            hn::StoreMaskBits(doubles, is_positive, bits);
            signs[i / kSideBySide] =
                static_cast<uint8_t>(signs[i / kSideBySide] | bits[0] << first);
        }
        hn::StoreU(squared, doubles, squares + first);
        hn::StoreU(absolute, doubles, absolutes + first);
        hn::StoreU(signed_centroid, doubles, centers + first);
    }
    return {sum_of(squares), sum_of(absolutes), sum_of(centers)};
}

double product(const float* HWY_RESTRICT entry, const float* HWY_RESTRICT centroid,
               const float* HWY_RESTRICT mean, size_t dims) {
    const Doubles doubles;
    double products[kSideBySide];
    for (size_t first = 0; first < kSideBySide; first += hn::Lanes(doubles)) {
        Vector sum = hn::Zero(doubles);
        for (size_t i = first; i < dims; i += kSideBySide) {
            const Vector center = load(centroid + i);
            const Vector residual = hn::Sub(load(entry + i), center);
            sum = hn::Add(sum, hn::Mul(residual, hn::Add(center, load(mean + i))));
        }
        hn::StoreU(sum, doubles, products + first);
    }
    return sum_of(products);
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(sums);
HWY_EXPORT(product);

}  // namespace

ResidualSums residual_sums(const float* entry, const float* centroid, size_t dims, uint8_t* signs) {
    return HWY_DYNAMIC_DISPATCH(sums)(entry, centroid, dims, signs);
}

double residual_dot(const float* entry, const float* centroid, const float* mean, size_t dims) {
    return HWY_DYNAMIC_DISPATCH(product)(entry, centroid, mean, dims);
}

}  // namespace lookalike
#endif

#include "core/code/rotation.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/vector/mixing.h"

#include "core/no_postgres.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/code/rotation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A compiler may fuse a multiplication with an addition on one target and not on another, and the
// stored codes would differ. So no multiplication here feeds an addition in the same loop.

/// One of log2(n) equal steps of the Hadamard transform: sums and differences of the two halves,
/// interleaved. Its access pattern does not depend on the step, so vectors stay full in all of
/// them.
template <bool kFlip, bool kScale>
HWY_INLINE void step(const float* HWY_RESTRICT from, const uint32_t* HWY_RESTRICT signs,
                     float scale, size_t half, float* HWY_RESTRICT to) {
    const HWY_CAPPED(float, 16) floats;
    const hn::RebindToUnsigned<decltype(floats)> words;
    const auto factor = hn::Set(floats, scale);
    for (size_t i = 0; i < half; i += hn::Lanes(floats)) {
        auto left = hn::LoadU(floats, from + i);
        auto right = hn::LoadU(floats, from + half + i);
        if constexpr (kFlip) {
            left = hn::Xor(left, hn::BitCast(floats, hn::LoadU(words, signs + i)));
            right = hn::Xor(right, hn::BitCast(floats, hn::LoadU(words, signs + half + i)));
        }
        auto sum = hn::Add(left, right);
        auto difference = hn::Sub(left, right);
        if constexpr (kScale) {
            sum = hn::Mul(sum, factor);
            difference = hn::Mul(difference, factor);
        }
        hn::StoreInterleaved2(sum, difference, floats, to + 2 * i);
    }
}

/// Flips signs, transforms n = 2^k elements (k >= 2) and multiplies them by `scale`. The result is
/// in `data`.
HWY_NOINLINE void flip_and_transform(float* data, float* scratch, const uint32_t* signs, size_t n,
                                     float scale) {
    const size_t half = n / 2;
    step<true, false>(data, signs, 1, half, scratch);
    size_t steps_left = static_cast<size_t>(hwy::Num0BitsBelowLS1Bit_Nonzero64(n)) - 2;
    float* from = scratch;
    float* to = data;
    for (; steps_left > 0; --steps_left) {
        step<false, false>(from, nullptr, 1, half, to);
        std::swap(from, to);
    }
    step<false, true>(from, nullptr, scale, half, to);
    if (to != data) std::memcpy(data, to, n * sizeof(float));
}

/// Sums and differences of the two halves in place: carries what one window holds to all the rest.
HWY_NOINLINE void mix_halves(float* data, size_t half) {
    const HWY_CAPPED(float, 16) floats;
    const auto factor = hn::Set(floats, 0.70710678f);
    for (size_t i = 0; i < half; i += hn::Lanes(floats)) {
        const auto left = hn::LoadU(floats, data + i);
        const auto right = hn::LoadU(floats, data + half + i);
        hn::StoreU(hn::Mul(hn::Add(left, right), factor), floats, data + i);
        hn::StoreU(hn::Mul(hn::Sub(left, right), factor), floats, data + half + i);
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(flip_and_transform);
HWY_EXPORT(mix_halves);

constexpr unsigned kPowerOfTwoRounds = 3;
constexpr unsigned kWindowRounds = 4;

/// splitmix64: the next of a sequence of well-mixed words.
uint64_t next_random(uint64_t& state) {
    return mixed(state += kMixingStep);
}

}  // namespace

Rotation::Rotation(uint32_t dims, uint64_t seed) : dims_(dims), window_(std::bit_floor(dims)) {
    const unsigned rounds = window_ == dims ? kPowerOfTwoRounds : kWindowRounds;
    signs_.resize(size_t{rounds} * window_);
    uint64_t random = 0;
    for (size_t i = 0; i < signs_.size(); ++i) {
        random = i % 64 == 0 ? next_random(seed) : random >> 1;
        signs_[i] = static_cast<uint32_t>(random & 1) << 31;
    }
}

void Rotation::apply(float* vector, float* scratch) const {
    const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(window_)));
    const auto transform = HWY_DYNAMIC_DISPATCH(flip_and_transform);
    if (window_ == dims_) {
        for (unsigned round = 0; round < kPowerOfTwoRounds; ++round)
            transform(vector, scratch, &signs_[round * window_], window_, scale);
        return;
    }
    // The window lies at the front and at the back in turns; the halves meet after each.
    for (unsigned round = 0; round < kWindowRounds; ++round) {
        float* const start = vector + (round % 2 == 0 ? 0 : dims_ - window_);
        transform(start, scratch, &signs_[round * window_], window_, scale);
        HWY_DYNAMIC_DISPATCH(mix_halves)(vector, dims_ / 2);
    }
}

double Rotation::relative_error() const {
    // Each addition and multiplication rounds once, and each constant factor is itself rounded.
    const int steps = std::countr_zero(window_) + 2;
    const int roundings =
        window_ == dims_ ? int{kPowerOfTwoRounds} * steps : int{kWindowRounds} * (steps + 3);
    return roundings * 0x1p-24 * 1.01;
}

}  // namespace lookalike
#endif  // HWY_ONCE

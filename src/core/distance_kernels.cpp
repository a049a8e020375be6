#include "core/distance_kernels.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/distance_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

HWY_INLINE Vector load(const float* from) {
    return hn::LoadU(Floats(), from);
}

HWY_INLINE Vector load(const uint16_t* from) {
    const hn::Rebind<hwy::float16_t, Floats> halves;
    return hn::PromoteTo(Floats(),
                         hn::LoadU(halves, reinterpret_cast<const hwy::float16_t*>(from)));
}

/// The elements from `start`, fewer than a vector, in some lanes and zero in the others. Reads no
/// byte outside the array: either the array's last full vector again, or a padded copy.
template <class T>
HWY_INLINE Vector load_rest(const T* from, size_t start, size_t dims) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    if (dims >= lanes) {
        const auto seen = hn::FirstN(floats, start + lanes - dims);
        return hn::IfThenZeroElse(seen, load(from + dims - lanes));
    }
    T padded[hn::MaxLanes(floats)] = {};
    std::memcpy(padded, from, dims * sizeof(T));
    return load(padded);
}

struct SquaredDifference {
    static HWY_INLINE Vector add(Vector a, Vector b, Vector sum) {
        const Vector difference = hn::Sub(a, b);
        return hn::MulAdd(difference, difference, sum);
    }
};

struct AbsoluteDifference {
    static HWY_INLINE Vector add(Vector a, Vector b, Vector sum) {
        return hn::Add(sum, hn::Abs(hn::Sub(a, b)));
    }
};

struct Product {
    static HWY_INLINE Vector add(Vector a, Vector b, Vector sum) { return hn::MulAdd(a, b, sum); }
};

HWY_INLINE float sum_of_lanes(Vector sum) {
    return hn::GetLane(hn::SumOfLanes(Floats(), sum));
}

/// Four sums side by side: one alone would wait for the latency of each addition.
template <class Term, class A, class B>
float sum_terms(const A* HWY_RESTRICT a, const B* HWY_RESTRICT b, size_t dims) {
    const size_t lanes = hn::Lanes(Floats());
    Vector sum0 = hn::Zero(Floats());
    Vector sum1 = sum0;
    Vector sum2 = sum0;
    Vector sum3 = sum0;
    size_t i = 0;
    for (; i + 4 * lanes <= dims; i += 4 * lanes) {
        sum0 = Term::add(load(a + i), load(b + i), sum0);
        sum1 = Term::add(load(a + i + lanes), load(b + i + lanes), sum1);
        sum2 = Term::add(load(a + i + 2 * lanes), load(b + i + 2 * lanes), sum2);
        sum3 = Term::add(load(a + i + 3 * lanes), load(b + i + 3 * lanes), sum3);
    }
    for (; i + lanes <= dims; i += lanes) {
        sum0 = Term::add(load(a + i), load(b + i), sum0);
    }
    if (i < dims) sum1 = Term::add(load_rest(a, i, dims), load_rest(b, i, dims), sum1);
    return sum_of_lanes(hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3)));
}

/// The three sums of a cosine in one pass. They run through the same steps, so that for a == b all
/// three are equal to the last bit and the distance is 0.
template <class A, class B>
CosineSums cosine_sums(const A* HWY_RESTRICT a, const B* HWY_RESTRICT b, size_t dims) {
    const size_t lanes = hn::Lanes(Floats());
    Vector dot0 = hn::Zero(Floats());
    Vector dot1 = dot0;
    Vector a_squared0 = dot0;
    Vector a_squared1 = dot0;
    Vector b_squared0 = dot0;
    Vector b_squared1 = dot0;
    const auto add0 = [&](Vector x, Vector y) HWY_ATTR {
        dot0 = hn::MulAdd(x, y, dot0);
        a_squared0 = hn::MulAdd(x, x, a_squared0);
        b_squared0 = hn::MulAdd(y, y, b_squared0);
    };
    const auto add1 = [&](Vector x, Vector y) HWY_ATTR {
        dot1 = hn::MulAdd(x, y, dot1);
        a_squared1 = hn::MulAdd(x, x, a_squared1);
        b_squared1 = hn::MulAdd(y, y, b_squared1);
    };
    size_t i = 0;
    for (; i + 2 * lanes <= dims; i += 2 * lanes) {
        add0(load(a + i), load(b + i));
        add1(load(a + i + lanes), load(b + i + lanes));
    }
    if (i + lanes <= dims) {
        add0(load(a + i), load(b + i));
        i += lanes;
    }
    if (i < dims) add1(load_rest(a, i, dims), load_rest(b, i, dims));
    return {.dot = sum_of_lanes(hn::Add(dot0, dot1)),
            .a_squared = sum_of_lanes(hn::Add(a_squared0, a_squared1)),
            .b_squared = sum_of_lanes(hn::Add(b_squared0, b_squared1))};
}

HWY_INLINE uint64_t load_word(const uint8_t* from, size_t bytes = 8) {
    uint64_t word = 0;
    std::memcpy(&word, from, bytes);
    return word;
}

HWY_INLINE uint64_t set_bits(uint64_t word) {
    return static_cast<uint64_t>(std::popcount(word));
}

uint64_t hamming(const uint8_t* a, const uint8_t* b, size_t bytes) {
    uint64_t count0 = 0;
    uint64_t count1 = 0;
    size_t i = 0;
    for (; i + 16 <= bytes; i += 16) {
        count0 += set_bits(load_word(a + i) ^ load_word(b + i));
        count1 += set_bits(load_word(a + i + 8) ^ load_word(b + i + 8));
    }
    if (i + 8 <= bytes) {
        count0 += set_bits(load_word(a + i) ^ load_word(b + i));
        i += 8;
    }
    if (i < bytes) count1 += set_bits(load_word(a + i, bytes - i) ^ load_word(b + i, bytes - i));
    return count0 + count1;
}

BitCounts jaccard(const uint8_t* a, const uint8_t* b, size_t bytes) {
    BitCounts counts = {0, 0};
    const auto add = [&](uint64_t x, uint64_t y) HWY_ATTR {
        counts.both += set_bits(x & y);
        counts.either += set_bits(x | y);
    };
    size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        add(load_word(a + i), load_word(b + i));
    }
    if (i < bytes) add(load_word(a + i, bytes - i), load_word(b + i, bytes - i));
    return counts;
}

template <class A, class B>
constexpr PairKernels<A, B> pair_kernels() {
    return {.l2_squared = sum_terms<SquaredDifference, A, B>,
            .l1 = sum_terms<AbsoluteDifference, A, B>,
            .dot = sum_terms<Product, A, B>,
            .cosine = cosine_sums<A, B>};
}

const Kernels* target_kernels() {
    static const Kernels kernels = {.target_name = hwy::TargetName(HWY_TARGET),
                                    .real_real = pair_kernels<float, float>(),
                                    .half_real = pair_kernels<uint16_t, float>(),
                                    .half_half = pair_kernels<uint16_t, uint16_t>(),
                                    .hamming = hamming,
                                    .jaccard = jaccard};
    return &kernels;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(target_kernels);

// Kept here because Highway's own dispatch costs a call into its library each time. Threads that
// come first together all store the same pointer.
std::atomic<const Kernels*> chosen_kernels = nullptr;

const Kernels* choose_kernels() {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    const Kernels* chosen = HWY_DYNAMIC_DISPATCH(target_kernels)();
    chosen_kernels.store(chosen, std::memory_order_release);
    return chosen;
}

}  // namespace

const Kernels& kernels() {
    const Kernels* chosen = chosen_kernels.load(std::memory_order_acquire);
    if (chosen == nullptr) [[unlikely]]
        chosen = choose_kernels();
    return *chosen;
}

void choose_kernels_again() {
    choose_kernels();
}

float l2_squared(const float* a, const float* b, size_t dims) {
    return kernels().real_real.l2_squared(a, b, dims);
}

float dot(const float* a, const float* b, size_t dims) {
    return kernels().real_real.dot(a, b, dims);
}

const char* simd_target_name() {
    return kernels().target_name;
}

}  // namespace lookalike
#endif

#include "core/vector/distance_kernels.h"

#include <bit>
#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set. It leaves this one out unless asked:
// AVX-512 as of Ice Lake and Zen 4. Highway 1.0.3 lets the compiler use AVX-VNNI there, which those
// processors lack: sums of integer products, which could become such instructions, do not belong in
// this file.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/vector/distance_kernels.cpp"
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

HWY_INLINE float sum_of_lanes(Vector sum0, Vector sum1, Vector sum2, Vector sum3) {
    const Vector sum = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
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
    return sum_of_lanes(sum0, sum1, sum2, sum3);
}

HWY_INLINE void add_cosine_terms(Vector a, Vector b, Vector& dot, Vector& a_squared,
                                 Vector& b_squared) {
    dot = hn::MulAdd(a, b, dot);
    a_squared = hn::MulAdd(a, a, a_squared);
    b_squared = hn::MulAdd(b, b, b_squared);
}

/// The three sums of a cosine in one pass. They run through the same steps, so that for a == b all
/// three are equal to the last bit and the distance is 0.
template <class A, class B>
CosineSums cosine_sums(const A* HWY_RESTRICT a, const B* HWY_RESTRICT b, size_t dims) {
    const size_t lanes = hn::Lanes(Floats());
    const Vector zero = hn::Zero(Floats());
    Vector dot0 = zero, a_squared0 = zero, b_squared0 = zero;
    Vector dot1 = zero, a_squared1 = zero, b_squared1 = zero;
    Vector dot2 = zero, a_squared2 = zero, b_squared2 = zero;
    Vector dot3 = zero, a_squared3 = zero, b_squared3 = zero;
    size_t i = 0;
    for (; i + 4 * lanes <= dims; i += 4 * lanes) {
        add_cosine_terms(load(a + i), load(b + i), dot0, a_squared0, b_squared0);
        add_cosine_terms(load(a + i + lanes), load(b + i + lanes), dot1, a_squared1, b_squared1);
        add_cosine_terms(load(a + i + 2 * lanes), load(b + i + 2 * lanes), dot2, a_squared2,
                         b_squared2);
        add_cosine_terms(load(a + i + 3 * lanes), load(b + i + 3 * lanes), dot3, a_squared3,
                         b_squared3);
    }
    for (; i + lanes <= dims; i += lanes) {
        add_cosine_terms(load(a + i), load(b + i), dot0, a_squared0, b_squared0);
    }
    if (i < dims) {
        add_cosine_terms(load_rest(a, i, dims), load_rest(b, i, dims), dot1, a_squared1,
                         b_squared1);
    }
    return {.dot = sum_of_lanes(dot0, dot1, dot2, dot3),
            .a_squared = sum_of_lanes(a_squared0, a_squared1, a_squared2, a_squared3),
            .b_squared = sum_of_lanes(b_squared0, b_squared1, b_squared2, b_squared3)};
}

struct Differ {
    template <class T>
    static HWY_INLINE T combine(T a, T b) {
        return a ^ b;
    }
};

struct Both {
    template <class T>
    static HWY_INLINE T combine(T a, T b) {
        return a & b;
    }
};

struct Either {
    template <class T>
    static HWY_INLINE T combine(T a, T b) {
        return a | b;
    }
};

HWY_INLINE uint64_t load_word(const uint8_t* from) {
    uint64_t word;
    std::memcpy(&word, from, sizeof(word));
    return word;
}

HWY_INLINE uint32_t set_bits(uint64_t word) {
    return static_cast<uint32_t>(std::popcount(word));
}

template <class Bits>
HWY_INLINE uint32_t count_bits(const uint8_t* a, const uint8_t* b, size_t bytes) {
    uint32_t count = 0;
    size_t i = 0;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
    // The one x86 target that counts the bits of vectors; elsewhere words are the faster way. Half
    // vectors, because a full one gains little for long values and costs the short ones.
    const hn::CappedTag<uint64_t, 4> words;
    const hn::Repartition<uint8_t, decltype(words)> octets;
    const size_t lanes = hn::Lanes(octets);
    if (bytes >= lanes) {
        auto counts = hn::Zero(words);
        for (; i + lanes <= bytes; i += lanes) {
            const auto x = hn::BitCast(words, hn::LoadU(octets, a + i));
            const auto y = hn::BitCast(words, hn::LoadU(octets, b + i));
            counts = hn::Add(counts, hn::PopulationCount(Bits::combine(x, y)));
        }
        count = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(words, counts)));
    }
#endif
    for (; i + 8 <= bytes; i += 8) {
        count += set_bits(Bits::combine(load_word(a + i), load_word(b + i)));
    }
    for (; i < bytes; ++i)
        count += set_bits(Bits::combine(a[i], b[i]));
    return count;
}

uint32_t hamming(const uint8_t* a, const uint8_t* b, size_t bytes) {
    return count_bits<Differ>(a, b, bytes);
}

BitCounts jaccard(const uint8_t* a, const uint8_t* b, size_t bytes) {
    return {.both = count_bits<Both>(a, b, bytes), .either = count_bits<Either>(a, b, bytes)};
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

}  // namespace

std::atomic<const Kernels*> chosen_kernels = nullptr;

const Kernels& choose_kernels() {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    const Kernels* chosen = HWY_DYNAMIC_DISPATCH(target_kernels)();
    chosen_kernels.store(chosen, std::memory_order_release);
    return *chosen;
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

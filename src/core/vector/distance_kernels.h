// The SIMD loops below the distance functions, one set for each instruction set, chosen at run
// time.
//
// Results are plain float sums: they overflow to infinity and lose denormals. Code that faces users
// calls distance.h, which repairs both; code that ranks vectors it prepared itself calls these.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lookalike {

/// Sum of (a[i] - b[i])^2. Any `dims`, 0 included; pointers aligned as float.
float l2_squared(const float* a, const float* b, size_t dims);

/// Sum of a[i] * b[i]. Any `dims`, 0 included; pointers aligned as float.
float dot(const float* a, const float* b, size_t dims);

/// The instruction set in use, as Highway names it ("AVX3", "AVX2", ...): for bug reports.
const char* simd_target_name();

struct CosineSums {
    float dot;
    float a_squared;
    float b_squared;
};

struct BitCounts {
    uint32_t both;
    uint32_t either;
};

/// The kernels for one pair of element types; uint16_t stands for a half.
template <class A, class B>
struct PairKernels {
    float (*l2_squared)(const A* a, const B* b, size_t dims);
    float (*l1)(const A* a, const B* b, size_t dims);
    float (*dot)(const A* a, const B* b, size_t dims);
    CosineSums (*cosine)(const A* a, const B* b, size_t dims);
};

/// REQUIRES for bits: fewer than 2^32 of them.
struct Kernels {
    const char* target_name;
    PairKernels<float, float> real_real;
    PairKernels<uint16_t, float> half_real;
    PairKernels<uint16_t, uint16_t> half_half;
    uint32_t (*hamming)(const uint8_t* a, const uint8_t* b, size_t bytes);
    BitCounts (*jaccard)(const uint8_t* a, const uint8_t* b, size_t bytes);
};

/// Takes the best of the targets that Highway reports, and makes it the set in use. kernels() calls
/// this when first used; tests call it after hwy::SetSupportedTargetsForTest.
const Kernels& choose_kernels();

/// The set in use; null before the first call of kernels(). Not Highway's own dispatch, which calls
/// into its library each time.
extern std::atomic<const Kernels*> chosen_kernels;

/// The set for this machine. Safe from any thread: those that come first together store the same
/// pointer. Inline, because for short vectors one more call is a tenth of the time.
inline const Kernels& kernels() {
    const Kernels* chosen = chosen_kernels.load(std::memory_order_acquire);
    if (chosen == nullptr) [[unlikely]]
        return choose_kernels();
    return *chosen;
}

}  // namespace lookalike

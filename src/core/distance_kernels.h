// The SIMD loops below the distance functions, one set for each instruction set, chosen at run
// time.
//
// Results are plain float sums: they overflow to infinity and lose denormals. Code that faces users
// calls distance.h, which repairs both; code that ranks vectors it prepared itself calls these.
#pragma once

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
    uint64_t both;
    uint64_t either;
};

/// The kernels for one pair of element types; uint16_t stands for a half.
template <class A, class B>
struct PairKernels {
    float (*l2_squared)(const A* a, const B* b, size_t dims);
    float (*l1)(const A* a, const B* b, size_t dims);
    float (*dot)(const A* a, const B* b, size_t dims);
    CosineSums (*cosine)(const A* a, const B* b, size_t dims);
};

struct Kernels {
    const char* target_name;
    PairKernels<float, float> real_real;
    PairKernels<uint16_t, float> half_real;
    PairKernels<uint16_t, uint16_t> half_half;
    uint64_t (*hamming)(const uint8_t* a, const uint8_t* b, size_t bytes);
    BitCounts (*jaccard)(const uint8_t* a, const uint8_t* b, size_t bytes);
};

/// The set for this machine. Safe from any thread; the first call asks the processor.
const Kernels& kernels();

/// Chooses again from the targets that Highway reports now. For tests, which restrict them with
/// hwy::SetSupportedTargetsForTest; not to be called while another thread computes.
void choose_kernels_again();

}  // namespace lookalike

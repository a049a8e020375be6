// What the kernels are measured against, compiled with -O3 -march=native -ffast-math.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike::native {

float l2_squared(const float* a, const float* b, size_t dims);
float dot(const float* a, const float* b, size_t dims);
uint64_t hamming(const uint8_t* a, const uint8_t* b, size_t bytes);

/// Loads both vectors and does next to nothing with them: the time that reading takes, with the
/// kernels' reduction at the end. REQUIRES: `bytes` is a multiple of 256.
float read_both(const void* a, const void* b, size_t bytes);

}  // namespace lookalike::native

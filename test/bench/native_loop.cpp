#include "native_loop.h"

// This file has one target: the machine it is compiled on.
#define HWY_COMPILE_ONLY_STATIC
#include <hwy/highway.h>

#include <bit>
#include <cstring>

namespace lookalike::native {

float l2_squared(const float* a, const float* b, size_t dims) {
    float sum = 0;
    for (size_t i = 0; i < dims; ++i) {
        const float difference = a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

float dot(const float* a, const float* b, size_t dims) {
    float sum = 0;
    for (size_t i = 0; i < dims; ++i)
        sum += a[i] * b[i];
    return sum;
}

uint64_t hamming(const uint8_t* a, const uint8_t* b, size_t bytes) {
    uint64_t count = 0;
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t x;
        uint64_t y;
        std::memcpy(&x, a + i, 8);
        std::memcpy(&y, b + i, 8);
        count += static_cast<uint64_t>(std::popcount(x ^ y));
    }
    return count;
}

float read_both(const void* a, const void* b, size_t bytes) {
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::ScalableTag<float> floats;
    const size_t lanes = hn::Lanes(floats);
    const float* x = static_cast<const float*>(a);
    const float* y = static_cast<const float*>(b);
    auto sum0 = hn::Zero(floats);
    auto sum1 = sum0;
    auto sum2 = sum0;
    auto sum3 = sum0;
    for (size_t i = 0; i < bytes / 4; i += 4 * lanes) {
        const auto read = [&](size_t part, auto sum) {
            const size_t at = i + part * lanes;
            return hn::Xor(sum, hn::Xor(hn::LoadU(floats, x + at), hn::LoadU(floats, y + at)));
        };
        sum0 = read(0, sum0);
        sum1 = read(1, sum1);
        sum2 = read(2, sum2);
        sum3 = read(3, sum3);
    }
    return hn::GetLane(hn::SumOfLanes(floats, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

}  // namespace lookalike::native

// A random rotation that costs n log n and is stored as its seed.
//
// After it, every direction looks alike: a code of one bit a dimension loses the same whatever the
// data looked like before. See docs/CODES.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lookalike {

/// Orthonormal up to float rounding. Equal on every machine and instruction set for equal
/// (dims, seed): nothing but additions, sign flips and lone multiplications, in a fixed order.
class Rotation {
  public:
    /// REQUIRES: dims is a multiple of 64 and not 0.
    Rotation(uint32_t dims, uint64_t seed);

    uint32_t dims() const { return dims_; }

    /// Rotates `vector` in place; `scratch` holds `dims` floats too. Both may lie anywhere, aligned
    /// to 64 bytes is fastest. Safe from several threads.
    void apply(float* vector, float* scratch) const;

    /// |computed - exact| <= relative_error() * |vector|, underflow and overflow aside.
    double relative_error() const;

  private:
    uint32_t dims_;
    uint32_t window_;              ///< the largest power of two <= dims
    std::vector<uint32_t> signs_;  ///< the sign bit or 0: `window_` of them for each round
};

}  // namespace lookalike

// What a descriptor is made of: its element kinds and limits, and a view of one value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// Element kind. The numbers are stored on disk and travel in the binary protocol: never reuse one.
enum class Kind : uint8_t { kReal = 0, kHalf = 1, kBit = 2 };

constexpr uint32_t kKindCount = 3;
constexpr uint32_t kMaxDims = 16000;     ///< real and half
constexpr uint32_t kMaxBitDims = 64000;  ///< bit

constexpr uint32_t max_dims(Kind kind) {
    return kind == Kind::kBit ? kMaxBitDims : kMaxDims;
}

/// The word users write for a kind: "real", "half" or "bit".
constexpr const char* kind_name(Kind kind) {
    return kind == Kind::kReal ? "real" : kind == Kind::kHalf ? "half" : "bit";
}

/// Bytes that `dims` elements of a kind take. Bits are packed, first dimension in the highest bit
/// of the first byte; the unused low bits of the last byte are zero.
constexpr size_t element_bytes(Kind kind, uint32_t dims) {
    if (kind == Kind::kReal) return size_t{dims} * 4;
    if (kind == Kind::kHalf) return size_t{dims} * 2;
    return (size_t{dims} + 7) / 8;
}

/// One descriptor wherever it lives. Does not own. `data` is aligned as its element type.
struct DescriptorView {
    Kind kind;
    uint32_t dims;
    const void* data;

    const float* reals() const { return static_cast<const float*>(data); }
    const uint16_t* halves() const { return static_cast<const uint16_t*>(data); }
    const uint8_t* bits() const { return static_cast<const uint8_t*>(data); }
};

}  // namespace lookalike

#include "core/code/entry_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/vector/signs.h"

namespace lookalike {
namespace {

// What a sum in double may lose, with room to spare.
constexpr double kRadiusRounding = 0x1p-40;
// Half a unit in the last place of a float.
constexpr double kFloatRounding = 0x1p-24;

}  // namespace

size_t entry_vector_bytes(const IndexShape& shape) {
    return is_binary(shape.metric) ? element_bytes(Kind::kBit, shape.dims)
                                   : element_bytes(Kind::kReal, shape.code_dims);
}

const float* as_floats(const IndexShape& shape, const EntryVector& vector, float* signs) {
    if (vector.bits == nullptr) return vector.floats;
    bits_to_signs(vector.bits, shape.dims, signs);
    return signs;
}

EntryEncoder::EntryEncoder(const IndexShape& shape, const IndexSpace* space, uint32_t level)
    : space_(space),
      refine_(level > 0 ? Refine::kFloat : shape.refine),
      code_(shape.levels[level].row_code_bytes) {
    if (is_binary(shape.metric)) {
        bit_bytes_ = static_cast<uint32_t>(element_bytes(Kind::kBit, shape.dims));
    } else {
        slot_.resize(refine_bytes(refine_, shape.code_dims));
    }
}

EncodedEntry EntryEncoder::encode(const EntryVector& vector, const float* centroid,
                                  EntryPointer pointer) {
    if (vector.bits != nullptr) return encode_bits(vector.bits, pointer);
    if (refine_ != Refine::kNone) {
        encode_refine(refine_, vector.floats, space_->padded_dims(), vector.rounding, slot_.data());
    }
    EncodedEntry entry = encode_scan(vector.floats, vector.rounding, centroid, pointer);
    entry.refine = slot_.data();
    return entry;
}

EncodedEntry EntryEncoder::encode_again(const uint8_t* refine_code, float* vector,
                                        const float* centroid, EntryPointer pointer) {
    RefineHeader header;
    std::memcpy(&header, refine_code, sizeof header);
    const bool is_known = decode_refine(refine_, refine_code, space_->padded_dims(), vector);
    if (!is_known) std::fill_n(vector, space_->padded_dims(), 0.0f);
    const double rounding = header.error + kFloatRounding * header.norm;
    EncodedEntry entry = encode_scan(vector, rounding, centroid, pointer);
    // What no bound is known of is always looked at.
    constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
    if (!is_known) entry.factors = {kUnknown, kUnknown, kUnknown};
    entry.refine = refine_code;
    return entry;
}

EncodedEntry EntryEncoder::encode_scan(const float* vector, double rounding, const float* centroid,
                                       EntryPointer pointer) {
    const ScanFactors factors = encode_scan_code(*space_, vector, centroid, code_.data());
    const double squared = exact_l2_squared(vector, centroid, space_->padded_dims());
    const double radius = (std::sqrt(squared) + rounding) * (1 + kRadiusRounding);
    return {.pointer = pointer,
            .factors = factors,
            .code = code_.data(),
            .refine = nullptr,
            .radius = round_up(radius)};
}

EncodedEntry EntryEncoder::encode_bits(const uint8_t* bits, EntryPointer pointer) {
    std::memcpy(code_.data(), bits, bit_bytes_);
    return {.pointer = pointer, .factors = {}, .code = code_.data(), .refine = nullptr};
}

}  // namespace lookalike

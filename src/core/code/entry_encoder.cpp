#include "core/code/entry_encoder.h"

#include <cmath>
#include <cstring>

#include "core/vector/signs.h"

namespace lookalike {
namespace {

// What a sum in double may lose, with room to spare.
constexpr double kRadiusRounding = 0x1p-40;

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
    const uint32_t dims = space_->padded_dims();
    const ScanFactors factors = encode_scan_code(*space_, vector.floats, centroid, code_.data());
    if (refine_ != Refine::kNone) {
        encode_refine(refine_, vector.floats, dims, vector.rounding, slot_.data());
    }
    const double squared = exact_l2_squared(vector.floats, centroid, dims);
    const double radius = (std::sqrt(squared) + vector.rounding) * (1 + kRadiusRounding);
    return {.pointer = pointer,
            .factors = factors,
            .code = code_.data(),
            .refine = slot_.data(),
            .radius = round_up(radius)};
}

EncodedEntry EntryEncoder::encode_bits(const uint8_t* bits, EntryPointer pointer) {
    std::memcpy(code_.data(), bits, bit_bytes_);
    return {.pointer = pointer, .factors = {}, .code = code_.data(), .refine = nullptr};
}

}  // namespace lookalike

#include "core/code/entry_encoder.h"

#include <cmath>
#include <cstring>

namespace lookalike {
namespace {

// What a sum in double may lose, with room to spare.
constexpr double kRadiusRounding = 0x1p-40;

}  // namespace

EntryEncoder::EntryEncoder(const IndexSpace& space, Refine refine, uint32_t level)
    : space_(&space),
      refine_(level > 0 ? Refine::kFloat : refine),
      code_(scan_code_bytes(space.padded_dims())),
      slot_(refine_bytes(refine_, space.padded_dims())) {}

EntryEncoder::EntryEncoder(uint32_t dims)
    : bit_bytes_(static_cast<uint32_t>(element_bytes(Kind::kBit, dims))),
      code_((dims + 63) / 64 * 8) {}

EncodedEntry EntryEncoder::encode(const float* vector, double rounding, const float* centroid,
                                  EntryPointer pointer) {
    const ScanFactors factors = encode_scan_code(*space_, vector, centroid, code_.data());
    if (refine_ != Refine::kNone) {
        encode_refine(refine_, vector, space_->padded_dims(), rounding, slot_.data());
    }
    const double squared = exact_l2_squared(vector, centroid, space_->padded_dims());
    return {.pointer = pointer,
            .factors = factors,
            .code = code_.data(),
            .refine = slot_.data(),
            .radius = round_up((std::sqrt(squared) + rounding) * (1 + kRadiusRounding))};
}

EncodedEntry EntryEncoder::encode_bits(const uint8_t* bits, EntryPointer pointer) {
    std::memcpy(code_.data(), bits, bit_bytes_);
    return {.pointer = pointer, .factors = {}, .code = code_.data(), .refine = nullptr};
}

}  // namespace lookalike

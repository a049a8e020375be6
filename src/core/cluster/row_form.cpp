#include "core/cluster/row_form.h"

#include <cmath>
#include <cstring>

#include "core/vector/half.h"
#include "core/vector/signs.h"

namespace lookalike {
namespace {

constexpr uint16_t kNegativeZero = 0x8000;

float element_of(const DescriptorView& row, uint32_t i) {
    return row.kind == Kind::kHalf ? half_to_float(row.halves()[i]) : row.reals()[i];
}

bool keep_direction(const DescriptorView& row, float* kept) {
    double square = 0;
    for (uint32_t i = 0; i < row.dims; ++i) {
        const double element = element_of(row, i);
        square += element * element;
    }
    if (square == 0) return false;
    const double length = std::sqrt(square);
    for (uint32_t i = 0; i < row.dims; ++i)
        kept[i] = static_cast<float>(element_of(row, i) / length) + 0.0f;
    return true;
}

}  // namespace

bool keep_row(const RowForm& form, const DescriptorView& row, void* kept) {
    if (form.has_length_one) return keep_direction(row, static_cast<float*>(kept));
    if (form.kind == Kind::kBit) {
        std::memcpy(kept, row.data, form.bytes());
    } else if (form.kind == Kind::kHalf) {
        auto* halves = static_cast<uint16_t*>(kept);
        for (uint32_t i = 0; i < row.dims; ++i) {
            const uint16_t half = row.halves()[i];
            halves[i] = half == kNegativeZero ? uint16_t{0} : half;
        }
    } else {
        auto* reals = static_cast<float*>(kept);
        for (uint32_t i = 0; i < row.dims; ++i)
            reals[i] = element_of(row, i) + 0.0f;
    }
    return true;
}

void kept_to_floats(const RowForm& form, const void* kept, float* floats) {
    if (form.kind == Kind::kBit) {
        bits_to_signs(static_cast<const uint8_t*>(kept), form.dims, floats);
    } else if (form.kind == Kind::kReal) {
        std::memcpy(floats, kept, form.bytes());
    } else {
        const auto* halves = static_cast<const uint16_t*>(kept);
        for (uint32_t i = 0; i < form.dims; ++i)
            floats[i] = half_to_float(halves[i]);
    }
}

uint64_t row_hash(const void* kept, size_t bytes) {
    constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ull;
    const auto* from = static_cast<const char*>(kept);
    uint64_t hash = bytes * kOdd;
    while (bytes > 0) {
        const size_t taken = bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t);
        uint64_t word = 0;
        std::memcpy(&word, from, taken);
        hash = (hash ^ word) * kOdd;
        hash ^= hash >> 32;
        from += taken;
        bytes -= taken;
    }
    return hash;
}

}  // namespace lookalike

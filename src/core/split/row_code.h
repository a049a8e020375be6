// A row in index space on its way from the table into a list: what stands for a refine code where
// an index keeps none.
//
// RowCodeHeader, then code_dims floats. Codes have the alignment of floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/vector/metric.h"

namespace lookalike {

struct RowCodeHeader {
    float rounding;  ///< of the floats, as IndexSpace::to_space() says; may be infinite
    float besides;   ///< 0, or what decode_scan_code() gave for them
};

constexpr size_t row_code_bytes(uint32_t code_dims) {
    return sizeof(RowCodeHeader) + code_dims * sizeof(float);
}

inline float* row_code_vector(uint8_t* code) {
    return reinterpret_cast<float*>(code + sizeof(RowCodeHeader));
}
inline const float* row_code_vector(const uint8_t* code) {
    return reinterpret_cast<const float*>(code + sizeof(RowCodeHeader));
}
inline RowCodeHeader& row_code_header(uint8_t* code) {
    return *reinterpret_cast<RowCodeHeader*>(code);
}
inline const RowCodeHeader& row_code_header(const uint8_t* code) {
    return *reinterpret_cast<const RowCodeHeader*>(code);
}

}  // namespace lookalike

// Makes what an index keeps of a row: scan code, factors and refine code.
#pragma once

#include <optional>
#include <vector>

#include "core/page/list_page.h"

namespace lookalike {

/// Holds the buffers of one encoded entry at a time.
class EntryEncoder {
  public:
    /// For real and half. `space` must outlive this. `level` decides what is kept, as in
    /// list_geometry().
    EntryEncoder(const IndexSpace& space, Refine refine, uint32_t level);
    /// For binary metrics.
    explicit EntryEncoder(uint32_t dims);

    /// `vector` and `centroid` have padded_dims elements in index space; `rounding` is what
    /// to_space() gave for the vector. The result is good until the next call.
    EncodedEntry encode(const float* vector, double rounding, const float* centroid,
                        EntryPointer pointer);
    EncodedEntry encode_bits(const uint8_t* bits, EntryPointer pointer);

  private:
    const IndexSpace* space_ = nullptr;
    Refine refine_ = Refine::kNone;
    uint32_t bit_bytes_ = 0;
    std::vector<uint8_t> code_;
    std::vector<uint8_t> slot_;
};

}  // namespace lookalike

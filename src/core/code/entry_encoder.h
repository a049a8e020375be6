// Makes what an index keeps of a row: scan code, factors and refine code.
#pragma once

#include <vector>

#include "core/page/list_page.h"

namespace lookalike {

/// A vector as an index encodes it; does not own.
struct EntryVector {
    const float* floats;  ///< code_dims in index space; null for binary metrics
    double rounding;      ///< what to_space() gave for the floats; 0: they are exact
    const uint8_t* bits;  ///< binary metrics: the value itself; else null
};

/// Bytes of it in memory: of the floats or of the bits.
size_t entry_vector_bytes(const IndexShape& shape);

/// The same as floats, for k-means and the calibration: the floats themselves, or -1 and 1 for the
/// bits, in `signs` (room for shape.dims).
const float* as_floats(const IndexShape& shape, const EntryVector& vector, float* signs);

/// Encodes the vectors of one index for one level of its tree. Holds the buffers of one encoded
/// entry at a time.
class EntryEncoder {
  public:
    /// `level` decides what is kept, as in list_geometry(). `space` must outlive this; it is null
    /// for binary metrics.
    EntryEncoder(const IndexShape& shape, const IndexSpace* space, uint32_t level);

    /// `centroid` has code_dims floats in index space; binary metrics need none. The result is good
    /// until the next call. REQUIRES: the vector is of the encoder's shape.
    EncodedEntry encode(const EntryVector& vector, const float* centroid, EntryPointer pointer);

    /// The same of an entry that has a refine code, which stays. `vector` has room for code_dims.
    /// REQUIRES: no binary metric.
    EncodedEntry encode_again(const uint8_t* refine_code, float* vector, const float* centroid,
                              EntryPointer pointer);

  private:
    EncodedEntry encode_scan(const float* vector, double rounding, const float* centroid,
                             EntryPointer pointer);
    EncodedEntry encode_bits(const uint8_t* bits, EntryPointer pointer);

    const IndexSpace* space_;
    Refine refine_;
    uint32_t bit_bytes_ = 0;
    std::vector<uint8_t> code_;
    std::vector<uint8_t> slot_;
};

}  // namespace lookalike

// Scan codes: one bit a dimension and three floats for each entry of a list, from which a scan gets
// an estimate of the key (core/vector/metric.h) and a lower bound that holds for most entries. The
// formulas stand in docs/CODES.md. For L2, cosine and inner product; binary descriptors need no
// code.
#pragma once

#include <hwy/aligned_allocator.h>

#include <cstdint>

#include "core/code/index_space.h"
#include "core/code/scan_kernel.h"

namespace lookalike {

/// How far below its estimate a bound lies unless asked otherwise, in standard errors.
constexpr double kDefaultScanEpsilon = 1.9;

/// And where every nearest row is wanted: bounds that hold for all but one entry in a billion.
constexpr double kFullRecallEpsilon = 6;

/// Standard errors for a recall: so many that what the codes hide is a tenth at most of what the
/// recall allows to miss. REQUIRES: recall in 0 .. 1.
double scan_epsilon(double recall);

/// An entry's share of its estimate, relative to the centroid it was encoded against.
struct ScanFactors {
    float base;
    float scale;
    float error;
};

constexpr size_t scan_code_bytes(uint32_t padded_dims) {
    return padded_dims / 8;
}

/// Encodes the residual of `entry` to `centroid`, both in `space`. Writes scan_code_bytes of signs
/// in the order that set_code takes. The same on all instruction sets.
ScanFactors encode_scan_code(const IndexSpace& space, const float* entry, const float* centroid,
                             uint8_t* signs);

/// A vector that stands for the entry: its product with any other is what the code estimates for
/// the entry. Writes padded_dims elements, and returns how far they are from the entry, at a right
/// angle to its residual; but for rounding.
double decode_scan_code(const IndexSpace& space, const ScanFactors& factors, const uint8_t* signs,
                        const float* centroid, float* out);

/// One query against any number of lists.
class ScanQuery {
  public:
    /// `query` must outlive this. `epsilon`: standard errors, 0 orders by the estimate alone.
    explicit ScanQuery(const SpaceQuery& query, double epsilon = kDefaultScanEpsilon);

    /// 16 bytes for each group of four dimensions.
    const uint8_t* table() const { return table_.get(); }
    size_t group_count() const { return query_.padded_dims / kDimsPerGroup; }

    /// For a list with this centroid (padded_dims elements, in index space). Two passes over it.
    ScanTerms terms(const float* centroid) const;

  private:
    void fill_table();

    const SpaceQuery& query_;
    double epsilon_;
    hwy::AlignedFreeUniquePtr<uint8_t[]> table_;
    float offset_ = 0;
    float step_ = 0;
};

}  // namespace lookalike

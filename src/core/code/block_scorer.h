// From the codes of a block to a bound of the key for each of its 32 entries: what a query prepares
// once. Binary metrics get exact keys.
#pragma once

#include <optional>
#include <vector>

#include "core/code/refine_code.h"
#include "core/code/scan_code.h"
#include "core/page/list_geometry.h"

namespace lookalike {

/// A query, prepared for all levels of an index. Large; make one a scan and keep it.
class BlockScorer {
  public:
    /// For real and half. `query` has space.dims() elements; REQUIRES: not zero under cosine.
    /// `epsilon` as in ScanQuery.
    BlockScorer(const IndexSpace& space, const float* query, double epsilon);

    /// For binary metrics. `query` has element_bytes(kBit, dims).
    BlockScorer(Metric metric, uint32_t dims, const uint8_t* query);

    BlockScorer(const BlockScorer&) = delete;

    Metric metric() const { return metric_; }

    /// For entries encoded against `centroid`; not for binary metrics, whose terms are unused.
    ScanTerms terms(const float* centroid) const { return scan_->terms(centroid); }

    /// For entries encoded against the mean, that is the zero of the index space.
    ScanTerms root_terms() const;

    /// Below the distance in SQL, and the key, of every entry of a list with these terms that is no
    /// farther than `radius` from the centroid. The lowest
    /// bound for binary metrics and the inner product.
    RefineBound list_bound(const ScanTerms& terms, float radius) const;

    /// As lookalike::key_scale().
    float key_scale() const;

    /// Whether such a list is one point, as far as rounding lets one tell. Not for bits, of which
    /// no radius is known.
    bool is_point(const ScanTerms& terms, float radius) const {
        return refine_.has_value() && refine_->is_point(terms.list_term, radius);
    }

    /// Returns up_to(bounds, limit).
    uint32_t score(const ListGeometry& geometry, const uint8_t* codes, const ScanColumns& columns,
                   const ScanTerms& terms, float limit, float bounds[kBlockEntries]) const;

    /// REQUIRES: not binary.
    const RefineQuery& refine() const { return *refine_; }

  private:
    void score_bits(const ListGeometry& geometry, const uint8_t* rows,
                    float bounds[kBlockEntries]) const;

    Metric metric_;
    std::optional<SpaceQuery> query_;
    std::optional<ScanQuery> scan_;
    std::optional<RefineQuery> refine_;
    std::vector<uint8_t> bits_;  // padded as the rows are
};

}  // namespace lookalike

#include "core/code/block_scorer.h"

#include <cstring>
#include <limits>

namespace lookalike {

BlockScorer::BlockScorer(const IndexSpace& space, const float* query, double epsilon)
    : metric_(space.metric()) {
    query_.emplace(space.query(query));
    scan_.emplace(*query_, epsilon);
    refine_.emplace(*query_);
}

BlockScorer::BlockScorer(Metric metric, uint32_t dims, const uint8_t* query) : metric_(metric) {
    bits_.resize((dims + 63) / 64 * 8);
    std::memcpy(bits_.data(), query, element_bytes(Kind::kBit, dims));
}

ScanTerms BlockScorer::root_terms() const {
    if (is_binary(metric_)) return {};
    const std::vector<float> zero(query_->padded_dims);
    return scan_->terms(zero.data());
}

float BlockScorer::key_scale() const {
    return metric_ == Metric::kInnerProduct ? lookalike::key_scale(metric_, query_->raw_norm) : 1;
}

RefineBound BlockScorer::list_bound(const ScanTerms& terms, float radius) const {
    if (is_binary(metric_)) {
        return {.distance = 0, .key = -std::numeric_limits<float>::infinity()};
    }
    return refine_->around(terms.list_term, radius);
}

uint32_t BlockScorer::score(const ListGeometry& geometry, const uint8_t* codes,
                            const ScanColumns& columns, const ScanTerms& terms, float limit,
                            float bounds[kBlockEntries]) const {
    if (is_binary(metric_)) {
        score_bits(geometry, codes, bounds);
        return up_to(bounds, limit);
    }
    return scan_block(scan_->table(), codes, scan_->group_count(), columns, terms, limit, bounds);
}

void BlockScorer::score_bits(const ListGeometry& geometry, const uint8_t* rows,
                             float bounds[kBlockEntries]) const {
    uint32_t different[kBlockEntries] = {};
    uint32_t both[kBlockEntries] = {};
    const bool is_jaccard = metric_ == Metric::kJaccard;
    add_bit_counts(bits_.data(), rows, geometry.row_code_bytes, bits_.size(), different,
                   is_jaccard ? both : nullptr);
    for (size_t i = 0; i < kBlockEntries; ++i) {
        bounds[i] =
            is_jaccard ? jaccard_key(both[i], different[i]) : static_cast<float>(different[i]);
    }
}

}  // namespace lookalike

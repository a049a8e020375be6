// Refine codes: a vector at 8 or 16 bits an element, from which follows a bound that is never above
// the distance which SQL computes for the row. docs/CODES.md has the argument.
//
// A slot is a RefineHeader and padded_dims elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/code/index_space.h"

namespace lookalike {

/// The numbers are stored in index pages: never reuse one.
enum class Refine : uint8_t { kInt8 = 0, kHalf = 1, kFloat = 2, kNone = 3 };

constexpr uint32_t kRefineCount = 4;

/// Stored in front of the elements.
struct RefineHeader {
    float scale;  ///< int8 and half: the vector is about scale * elements
    float error;  ///< at least |P(x - m) - scale * elements| before any rounding; may be infinite
    float norm;   ///< at least |scale * elements|
};
static_assert(sizeof(RefineHeader) == 12);

constexpr size_t refine_element_bytes(Refine refine) {
    constexpr size_t kBytes[] = {1, 2, 4, 0};
    return kBytes[static_cast<size_t>(refine)];
}

/// Bytes of a slot: 0 for kNone.
constexpr size_t refine_bytes(Refine refine, uint32_t padded_dims) {
    if (refine == Refine::kNone) return 0;
    return sizeof(RefineHeader) + padded_dims * refine_element_bytes(refine);
}

/// Writes refine_bytes to `slot`. `vector` and `rounding` are what IndexSpace::to_space gave. The
/// same on all instruction sets. REQUIRES: refine is not kNone.
void encode_refine(Refine refine, const float* vector, uint32_t padded_dims, double rounding,
                   uint8_t* slot);

/// Writes padded_dims floats: the vector that was encoded, but for `error` of its header and the
/// rounding of a float. The same for equal slots, and on all instruction sets. False where the slot
/// does not tell: of a vector too long for float arithmetic, or damaged. REQUIRES: refine is not
/// kNone; `slot` has refine_bytes, aligned or not.
bool decode_refine(Refine refine, const uint8_t* slot, uint32_t padded_dims, float* out);

struct RefineBound {
    double distance;  ///< never above the float8 that SQL computes for this row and query
    float key;        ///< the same as a key (core/vector/metric.h), rounded down: for ordering
    /// Equal for equal slots, and hardly ever for others; 0: it tells nothing.
    uint32_t fingerprint = 0;
};

/// One query against any number of slots, which need no alignment.
class RefineQuery {
  public:
    /// `query` must outlive this.
    explicit RefineQuery(const SpaceQuery& query);

    /// REQUIRES: refine is not kNone; `slot` has refine_bytes.
    RefineBound lower_bound(Refine refine, const uint8_t* slot) const;

    /// The same for all vectors that are no farther than `radius` from one in index space, whose
    /// key to the query is `key` but for float rounding. The inner product, whose lists reach far,
    /// gets the lowest bound.
    RefineBound around(float key, float radius) const;

    /// Whether they are one point, as far as rounding lets one tell.
    bool is_point(float key, float radius) const;

    /// What stands for a row without a refine code: below every distance.
    RefineBound lowest() const;

  private:
    double element_sum(Refine refine, float scale, const uint8_t* elements) const;
    RefineBound finish(const RefineHeader& header, double sum) const;

    const SpaceQuery& query_;
    const float* vector_;    ///< what the elements meet: P(q - m), inner product: P(q)
    double rounding_;        ///< of vector_
    double vector_norm_;     ///< |vector_|
    double sum_error_;       ///< relative, of element_sum
    double distance_error_;  ///< relative, of the distance in SQL
};

}  // namespace lookalike

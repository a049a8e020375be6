#include "core/measure/row_key.h"

#include "core/vector/distance_kernels.h"
#include "core/vector/element.h"

#include "core/no_postgres.h"

namespace lookalike {

float row_key(Metric metric, const Elements& a, const Elements& b, uint32_t row_floats) {
    if (metric == Metric::kInnerProduct) return -dot(a.floats, b.floats, row_floats);
    if (!is_binary(metric)) return l2_squared(a.floats, b.floats, row_floats);
    const size_t bytes = element_bytes(Kind::kBit, row_floats);
    if (metric == Metric::kHamming)
        return static_cast<float>(kernels().hamming(a.bits, b.bits, bytes));
    const BitCounts count = kernels().jaccard(a.bits, b.bits, bytes);
    return count.both > 0 ? 1 - static_cast<float>(count.both) / static_cast<float>(count.either)
                          : 1;
}

}  // namespace lookalike

#include "learn/mark_set.h"

#include <algorithm>

#include "core/cluster/row_form.h"

namespace lookalike {

std::vector<uint32_t> folds_of(const RowsView& points) {
    std::vector<uint32_t> folds(points.row_count);
    for (size_t i = 0; i < points.row_count; ++i)
        folds[i] =
            static_cast<uint32_t>(row_hash(points.row(i), points.dims * sizeof(float)) % kFolds);
    return folds;
}

Matrix mapped(Matrix rows, const Matrix* map) {
    return map == nullptr ? std::move(rows) : product_with_transposed(rows, *map);
}

}  // namespace lookalike

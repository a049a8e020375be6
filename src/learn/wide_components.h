// Principal components of rows that have more numbers than there are rows.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

/// A map to the first principal components, as core/vector/projection.h has it: rows.dims x dims
/// numbers, then an offset, which makes the mean of the rows the zero vector.
struct ComponentMap {
    uint32_t dims = 0;  ///< 0: the rows do not differ
    std::vector<float> values;
};

/// At most `dims`, as many as the rows hold. With `whiten`, components along which rows differ much
/// count less. Takes the square of the number of rows in memory. Equal rows give equal maps. Throws
/// NoEigenvectors. REQUIRES: finite numbers; at least one row; dims > 0.
ComponentMap map_to_components(const RowsView& rows, uint32_t dims, bool whiten);

}  // namespace lookalike

// Products of matrices of floats, by what the processor has.
#pragma once

#include <cstddef>

#include "core/no_postgres.h"

namespace lookalike {

/// to (rows x columns) = a (rows x depth) times b (depth x columns, or columns x depth if
/// transposed). All lie row by row. Sums are in the order of depth.
void multiply_matrices(const float* a, const float* b, float* to, size_t rows, size_t depth,
                       size_t columns, bool is_b_transposed);

}  // namespace lookalike

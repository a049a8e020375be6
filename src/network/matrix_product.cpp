#include "network/matrix_product.h"

#include <algorithm>
#include <vector>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "network/matrix_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

/// Columns of b that are multiplied at a time: a panel of two vectors.
HWY_INLINE size_t panel_columns() {
    return 2 * hn::Lanes(Floats());
}

/// A panel of b lies row by row, with zeros for the columns that b does not have.
void pack_panel(const float* b, size_t depth, size_t columns, size_t first, size_t used,
                bool is_transposed, float* panel) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats), width = 2 * lanes;
    for (size_t k = 0; k < depth; ++k) {
        float* row = panel + k * width;
        if (!is_transposed && used == width) {
            hn::StoreU(hn::LoadU(floats, b + k * columns + first), floats, row);
            hn::StoreU(hn::LoadU(floats, b + k * columns + first + lanes), floats, row + lanes);
            continue;
        }
        for (size_t j = 0; j < used; ++j)
            row[j] = is_transposed ? b[(first + j) * depth + k] : b[k * columns + first + j];
        std::fill(row + used, row + width, 0.0f);
    }
}

/// A row of the product, as far as it lies in the panel.
HWY_INLINE void store(Vector left, Vector right, float* to, size_t used) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    if (used == 2 * lanes) {
        hn::StoreU(left, floats, to);
        hn::StoreU(right, floats, to + lanes);
        return;
    }
    float row[2 * hn::MaxLanes(floats)];
    hn::StoreU(left, floats, row);
    hn::StoreU(right, floats, row + lanes);
    std::copy_n(row, used, to);
}

void multiply_row(const float* a, const float* panel, float* to, size_t depth, size_t used) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    Vector left = hn::Zero(floats), right = left;
    for (size_t k = 0; k < depth; ++k, panel += 2 * lanes) {
        const Vector x = hn::Set(floats, a[k]);
        left = hn::MulAdd(x, hn::LoadU(floats, panel), left);
        right = hn::MulAdd(x, hn::LoadU(floats, panel + lanes), right);
    }
    store(left, right, to, used);
}

/// Four rows at a time, so that each part of the panel is loaded once for all of them.
void multiply_four_rows(const float* a, const float* panel, float* to, size_t depth, size_t columns,
                        size_t used) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    const float *a1 = a + depth, *a2 = a1 + depth, *a3 = a2 + depth;
    Vector left0 = hn::Zero(floats), right0 = left0, left1 = left0, right1 = left0;
    Vector left2 = left0, right2 = left0, left3 = left0, right3 = left0;
    for (size_t k = 0; k < depth; ++k, panel += 2 * lanes) {
        const Vector left = hn::LoadU(floats, panel), right = hn::LoadU(floats, panel + lanes);
        const Vector x0 = hn::Set(floats, a[k]), x1 = hn::Set(floats, a1[k]);
        const Vector x2 = hn::Set(floats, a2[k]), x3 = hn::Set(floats, a3[k]);
        left0 = hn::MulAdd(x0, left, left0);
        right0 = hn::MulAdd(x0, right, right0);
        left1 = hn::MulAdd(x1, left, left1);
        right1 = hn::MulAdd(x1, right, right1);
        left2 = hn::MulAdd(x2, left, left2);
        right2 = hn::MulAdd(x2, right, right2);
        left3 = hn::MulAdd(x3, left, left3);
        right3 = hn::MulAdd(x3, right, right3);
    }
    store(left0, right0, to, used);
    store(left1, right1, to + columns, used);
    store(left2, right2, to + 2 * columns, used);
    store(left3, right3, to + 3 * columns, used);
}

void multiply(const float* a, const float* b, float* to, size_t rows, size_t depth, size_t columns,
              bool is_b_transposed) {
    const size_t width = panel_columns();
    std::vector<float> panel(depth * width);
    for (size_t first = 0; first < columns; first += width) {
        const size_t used = std::min(width, columns - first);
        pack_panel(b, depth, columns, first, used, is_b_transposed, panel.data());
        size_t i = 0;
        for (; i + 4 <= rows; i += 4)
            multiply_four_rows(a + i * depth, panel.data(), to + i * columns + first, depth,
                               columns, used);
        for (; i < rows; ++i)
            multiply_row(a + i * depth, panel.data(), to + i * columns + first, depth, used);
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {

HWY_EXPORT(multiply);

void multiply_matrices(const float* a, const float* b, float* to, size_t rows, size_t depth,
                       size_t columns, bool is_b_transposed) {
    HWY_DYNAMIC_DISPATCH(multiply)(a, b, to, rows, depth, columns, is_b_transposed);
}

}  // namespace lookalike
#endif

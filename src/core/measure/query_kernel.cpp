#include "core/measure/query_kernel.h"

#include "core/no_postgres.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/measure/query_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = HWY_CAPPED(float, 16);
using Vector = hn::Vec<Floats>;

struct Square {
    static HWY_INLINE Vector add(Vector query, Vector row, Vector sum) {
        const Vector difference = hn::Sub(query, row);
        return hn::MulAdd(difference, difference, sum);
    }
};

struct NegativeProduct {
    static HWY_INLINE Vector add(Vector query, Vector row, Vector sum) {
        return hn::NegMulAdd(query, row, sum);
    }
};

/// Two vectors of queries with four rows: each element that is loaded serves two or four.
template <class Term>
HWY_INLINE void sum_of_block(const float* HWY_RESTRICT block, const float* const* rows, size_t dims,
                             float* HWY_RESTRICT keys, size_t keys_of_row) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    const float *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
    for (size_t query = 0; query < kQueriesSideBySide; query += 2 * lanes) {
        const float* at = block + query;
        Vector a0 = hn::Zero(floats), a1 = a0, a2 = a0, a3 = a0;
        Vector b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (size_t i = 0; i < dims; ++i, at += kQueriesSideBySide) {
            const Vector first = hn::LoadU(floats, at), second = hn::LoadU(floats, at + lanes);
            const Vector x0 = hn::Set(floats, row0[i]), x1 = hn::Set(floats, row1[i]);
            a0 = Term::add(first, x0, a0), b0 = Term::add(second, x0, b0);
            a1 = Term::add(first, x1, a1), b1 = Term::add(second, x1, b1);
            const Vector x2 = hn::Set(floats, row2[i]), x3 = hn::Set(floats, row3[i]);
            a2 = Term::add(first, x2, a2), b2 = Term::add(second, x2, b2);
            a3 = Term::add(first, x3, a3), b3 = Term::add(second, x3, b3);
        }
        float* to = keys + query;
        hn::StoreU(a0, floats, to), hn::StoreU(b0, floats, to + lanes);
        hn::StoreU(a1, floats, to += keys_of_row), hn::StoreU(b1, floats, to + lanes);
        hn::StoreU(a2, floats, to += keys_of_row), hn::StoreU(b2, floats, to + lanes);
        hn::StoreU(a3, floats, to += keys_of_row), hn::StoreU(b3, floats, to + lanes);
    }
}

template <class Term>
void sum_of_blocks(const QueryBlocks& queries, const float* const* rows, float* keys) {
    const size_t keys_of_row = queries.block_count * kQueriesSideBySide;
    for (size_t block = 0; block < queries.block_count; ++block)
        sum_of_block<Term>(queries.elements + block * queries.dims * kQueriesSideBySide, rows,
                           queries.dims, keys + block * kQueriesSideBySide, keys_of_row);
}

void sum_squares(const QueryBlocks& queries, const float* const* rows, float* keys) {
    sum_of_blocks<Square>(queries, rows, keys);
}

void sum_products(const QueryBlocks& queries, const float* const* rows, float* keys) {
    sum_of_blocks<NegativeProduct>(queries, rows, keys);
}

void compare(const float* keys, const float* limits, size_t block_count, uint32_t* bits) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    for (size_t block = 0; block < block_count; ++block) {
        uint32_t below = 0;
        for (size_t i = 0; i < kQueriesSideBySide; i += lanes) {
            const size_t at = block * kQueriesSideBySide + i;
            const auto mask = hn::Lt(hn::LoadU(floats, keys + at), hn::LoadU(floats, limits + at));
            uint8_t some[8] = {};  // StoreMaskBits may write so many
            hn::StoreMaskBits(floats, mask, some);
            below |= (some[0] | uint32_t{some[1]} << 8) << i;
        }
        bits[block] = below;
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(sum_squares);
HWY_EXPORT(sum_products);
HWY_EXPORT(compare);

}  // namespace

void squares_of_queries(const QueryBlocks& queries, const float* const* rows, float* keys) {
    HWY_DYNAMIC_DISPATCH(sum_squares)(queries, rows, keys);
}

void products_of_queries(const QueryBlocks& queries, const float* const* rows, float* keys) {
    HWY_DYNAMIC_DISPATCH(sum_products)(queries, rows, keys);
}

void find_below(const float* keys, const float* limits, size_t block_count, uint32_t* bits) {
    HWY_DYNAMIC_DISPATCH(compare)(keys, limits, block_count, bits);
}

}  // namespace lookalike
#endif

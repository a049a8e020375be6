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

/// Two vectors of queries, and two sums for each: one alone would wait for each addition.
template <class Term>
HWY_INLINE void sum_of_block(const float* HWY_RESTRICT block, const float* HWY_RESTRICT row,
                             size_t dims, float* HWY_RESTRICT keys) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    for (size_t query = 0; query < kQueriesSideBySide; query += 2 * lanes) {
        const float* first = block + query;
        const float* second = first + lanes;
        Vector even0 = hn::Zero(floats), even1 = even0, odd0 = even0, odd1 = even0;
        size_t i = 0;
        for (; i + 2 <= dims; i += 2) {
            const size_t at = i * kQueriesSideBySide, next = at + kQueriesSideBySide;
            const Vector even = hn::Set(floats, row[i]), odd = hn::Set(floats, row[i + 1]);
            even0 = Term::add(hn::LoadU(floats, first + at), even, even0);
            even1 = Term::add(hn::LoadU(floats, second + at), even, even1);
            odd0 = Term::add(hn::LoadU(floats, first + next), odd, odd0);
            odd1 = Term::add(hn::LoadU(floats, second + next), odd, odd1);
        }
        if (i < dims) {
            const size_t at = i * kQueriesSideBySide;
            const Vector last = hn::Set(floats, row[i]);
            even0 = Term::add(hn::LoadU(floats, first + at), last, even0);
            even1 = Term::add(hn::LoadU(floats, second + at), last, even1);
        }
        hn::StoreU(hn::Add(even0, odd0), floats, keys + query);
        hn::StoreU(hn::Add(even1, odd1), floats, keys + query + lanes);
    }
}

void sum_squares(const float* blocks, size_t block_count, const float* row, size_t dims,
                 float* keys) {
    for (size_t block = 0; block < block_count; ++block)
        sum_of_block<Square>(blocks + block * dims * kQueriesSideBySide, row, dims,
                             keys + block * kQueriesSideBySide);
}

void sum_products(const float* blocks, size_t block_count, const float* row, size_t dims,
                  float* keys) {
    for (size_t block = 0; block < block_count; ++block)
        sum_of_block<NegativeProduct>(blocks + block * dims * kQueriesSideBySide, row, dims,
                                      keys + block * kQueriesSideBySide);
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

void squares_of_queries(const float* blocks, size_t block_count, const float* row, size_t dims,
                        float* keys) {
    HWY_DYNAMIC_DISPATCH(sum_squares)(blocks, block_count, row, dims, keys);
}

void products_of_queries(const float* blocks, size_t block_count, const float* row, size_t dims,
                         float* keys) {
    HWY_DYNAMIC_DISPATCH(sum_products)(blocks, block_count, row, dims, keys);
}

void find_below(const float* keys, const float* limits, size_t block_count, uint32_t* bits) {
    HWY_DYNAMIC_DISPATCH(compare)(keys, limits, block_count, bits);
}

}  // namespace lookalike
#endif

// The loops over many queries at once: one for each instruction set, chosen at run time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// As many as a word of bits has.
constexpr size_t kQueriesSideBySide = 32;

/// So many blocks hold so many queries.
constexpr size_t query_block_count(size_t queries) {
    return (queries + kQueriesSideBySide - 1) / kQueriesSideBySide;
}

constexpr size_t kRowsWithQueries = 4;

/// `block_count` times kQueriesSideBySide queries of `dims` elements: of each block the first
/// elements of all its queries, then their second ones, and so on.
struct QueryBlocks {
    const float* elements;
    size_t block_count;
    size_t dims;
};

/// Writes the squared L2 distances, or the negative inner products, of kRowsWithQueries rows from
/// each query: those of the first row, then those of the second. Rows may be the same; the answer
/// for one does not depend on the others.
void squares_of_queries(const QueryBlocks& queries, const float* const* rows, float* keys);
void products_of_queries(const QueryBlocks& queries, const float* const* rows, float* keys);

/// Bit i of `bits`: whether keys[i] < limits[i]. Both have a multiple of kQueriesSideBySide places.
void find_below(const float* keys, const float* limits, size_t block_count, uint32_t* bits);

/// Calls visit(i) for each bit i that is set, in order.
template <class Visit>
void for_each_bit(std::span<const uint32_t> bits, Visit visit) {
    for (size_t word = 0; word < bits.size(); ++word)
        for (uint32_t left = bits[word]; left != 0; left &= left - 1)
            visit(word * 32 + static_cast<size_t>(std::countr_zero(left)));
}

}  // namespace lookalike

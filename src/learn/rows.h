// Rows of floats, and what must be known of them before FAISS may see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/no_postgres.h"
#include "core/protocol/worker.h"

namespace lookalike {

/// The rows themselves are at fault, not the program: NaN, infinity, too large a value.
class InvalidRows : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// row_count x dims floats that somebody else owns.
struct RowsView {
    const float* values = nullptr;
    size_t row_count = 0;
    size_t dims = 0;

    const float* row(size_t index) const { return values + index * dims; }
    std::span<const float> span(size_t index) const { return {row(index), dims}; }
};

/// row_count rows of bits, bit_row_words(dims) words each, that somebody else owns. Bits beyond
/// dims are zero.
struct BitRowsView {
    const uint64_t* words = nullptr;
    size_t row_count = 0;
    size_t dims = 0;

    const uint64_t* row(size_t index) const { return words + index * bit_row_words(dims); }
};

/// Throws InvalidRows when a value is not finite or a squared length is above
/// kWorkerMaxSquaredNorm. FAISS would abort() or return no neighbour for such rows.
void check_rows(const RowsView& rows);

/// Ascending indices of the rows that no earlier row equals.
std::vector<uint32_t> distinct_rows(const RowsView& rows);

}  // namespace lookalike

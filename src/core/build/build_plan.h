// What CREATE INDEX decides from the number of rows and from its memory: shared with the functions
// that tell it beforehand and judge it afterwards.
#pragma once

#include <cstdint>

#include "core/measure/query_draw.h"

namespace lookalike {

/// Up to so many rows are one list: its answer is exact, and it needs no worker.
constexpr uint64_t kRowsOfOneList = 5000;

/// Iterations of k-means. Words are good enough sooner: what they only decide is which features are
/// looked at together.
constexpr uint32_t kLearnIterations = 30;
constexpr uint32_t kLearnIterationsOfWords = 10;

/// Vectors above are projected for learning: after the rotation any coordinates are a random
/// projection.
constexpr uint32_t kMaxLearnDims = 1024;

constexpr QueryCounts kMostQueries{.all_rows = 300, .near_lists = 1000};
constexpr QueryCounts kFewestQueries{.all_rows = 50, .near_lists = 300};

/// The number of lists that so many rows want, when the index does not say.
uint64_t wanted_list_count(uint64_t rows);

/// Distances of each row by which an index measures itself in passing. A row of a small index is in
/// the near lists of more queries.
double upkeep_distances(uint64_t rows);

/// The queries that take so many, and 6 MB at most. `vector_bytes` of a query.
QueryCounts upkeep_query_counts(uint64_t vector_bytes, uint64_t rows, uint64_t list_count);

/// What the steps of a build may take of its memory. `code_dims` as in IndexShape.
class BuildBudget {
  public:
    explicit BuildBudget(uint64_t bytes) : bytes_(bytes) {}

    uint64_t bytes() const { return bytes_; }

    /// How many lists' centroids fit, each of `code_dims` floats.
    uint64_t fitting_list_count(uint32_t code_dims) const;

    /// The lists that so many rows want, as far as they fit.
    uint64_t list_count(uint64_t rows, uint32_t code_dims) const;

    /// Rows of a sample that fit: they take a third of the memory, and once more in their rotated
    /// form. A mean wants some, however little memory there is.
    uint64_t fitting_sample_rows(uint32_t dims) const;

    /// Rows that the sample should have: k-means gains little beyond 256 rows a list, or 64 for a
    /// word. A table that fits one list is taken whole.
    uint64_t sample_rows(uint32_t dims, uint64_t list_count, bool are_words = false) const;

    /// The least memory with which so many centroids fit and a sample has so many rows.
    static uint64_t bytes_to_learn(uint64_t list_count, uint64_t rows, uint32_t dims,
                                   uint32_t code_dims);

    /// Queries by which an index measures itself: by 3e10 multiplications, a few seconds, unless
    /// that were too few; and so many that each kind takes an eighth of the memory at most.
    QueryCounts query_counts(uint64_t rows, uint32_t code_dims, uint64_t list_count) const;

    /// Rows travel to their lists in batches of so many bytes. Two are under way, each of them here
    /// and in the area shared with the worker.
    uint64_t batch_bytes() const;

    /// What lives beside the sort of the entries while rows are assigned: the batches, the
    /// centroids here, in the shared area and in the worker, what FAISS computes in, and what the
    /// calibration keeps of each query.
    uint64_t assign_bytes(uint64_t list_count, uint32_t code_dims) const;

    /// What the sort is allowed: three quarters of what is left, because it takes a little more
    /// than that and does not get its memory back in one piece to merge in; an eighth of all at
    /// least.
    uint64_t sort_bytes(uint64_t list_count, uint32_t code_dims) const;

  private:
    uint64_t bytes_;
};

}  // namespace lookalike

// Measures an index from its own entries, a stretch at a time: beside whatever else goes on, and
// without its table. Refine codes hold rows nearly exactly, and bits are their own codes.
#pragma once

#include "am/upkeep/row_vectors.h"
#include "am/upkeep/tree_lists.h"
#include "core/build/build_plan.h"

namespace lookalike {

/// False: the entries do not tell their rows (refine = none), or there is nothing to choose.
bool can_measure_entries(const LoadedIndex& loaded);

enum class MeasuringState {
    kMore,
    kDone,
    kGone,  ///< the index has been built anew, or one of the lists has gone: to be begun anew
};

struct Measuring;

/// What comes of equal entries, lists, queries and seeds is equal.
struct MeasuringPlan {
    QueryCounts queries;
    uint64 seed;
    /// Where entries do not tell their rows: then all is done before this ends.
    RowVectors* rows = nullptr;
};

/// Lives in `context`, which may outlive the transaction: between two stretches it holds no pin, no
/// lock, no snapshot and nothing of a relation. `lists` must outlive it. It takes what the queries
/// take (BuildBudget, upkeep_query_counts), and 16 bytes besides for each, and for each list.
/// REQUIRES: can_measure_entries(), or rows.
Measuring* begin_measuring(const LoadedIndex& loaded, const TreeLists& lists,
                           const MeasuringPlan& plan, MemoryContext context);

/// Goes on until about so many distances were computed, or what takes as long was done: reading all
/// list pages once to draw the queries, then all entries. What is inserted or removed meanwhile may
/// count or not. Locks one page at a time. REQUIRES: the lock on the index that a scan has.
MeasuringState go_on_measuring(Measuring* measuring, Relation index, const LoadedIndex& loaded,
                               uint64 most_distances);

/// query_count is 0 when there was no entry. REQUIRES: go_on_measuring() said kDone. What was
/// measured goes with the context.
Calibration end_measuring(const Measuring* measuring);

/// Distances that go_on_measuring() takes until it is done, about: of rows, and what counts as
/// such.
double distances_of_all(const LoadedIndex& loaded, const QueryCounts& queries, uint64 rows);

/// Distances that take about so long, on a processor of 2020. For go_on_measuring().
uint64 distances_within(const IndexShape& shape, uint32 milliseconds);

}  // namespace lookalike

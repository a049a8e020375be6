// A search of an index on local features: votes choose rows, and the distances of the chosen ones,
// computed from the table's values, order them.
#pragma once

#include "am/storage/loaded_index.h"
#include "am/storage/row_distance.h"
#include "am/storage/row_prefetch.h"
#include "core/local/local_features.h"
#include "core/search/entry_filter.h"
#include "core/votes/vote_plan.h"
#include "core/votes/vote_search.h"

namespace lookalike {

struct VoteScanOptions {
    const EntryFilter* filter;  ///< null: none
    VoteEffort effort;
    bool compares_all;  ///< every row, whatever its votes
    double radius;      ///< rows beyond are not wanted
    size_t memory_bytes;
};

/// A row and its distance.
struct ComparedRow {
    double distance;
    uint64 row;  ///< row_number()
};

/// Lives in one memory context.
struct VoteScan {
    Relation index;
    VoteScanOptions options;
    MetaPage meta;
    VoteSearch* search;  ///< null: every row is compared, also those that the filter leaves out
    uint32 lists_read;
    bool goes_on;       ///< rows with fewer votes may have something in common with the query
    uint32 same_count;  ///< in this round of votes, rows compared that show the same as the query
    uint32 in_vain;     ///< of the rows compared, the last so many show something else
    uint64* compared;   ///< rows
    uint32 compared_count;
    uint32 compared_room;
    // Compared and not given out yet, a heap with the nearest on top.
    ComparedRow* waiting;
    uint32 waiting_count;
    uint32 waiting_room;
    // Given out.
    uint64* given;
    uint32 given_count;
    uint32 given_room;
    bool given_is_sorted;
};

/// Reads the lists and counts the votes. In the current memory context.
VoteScan* begin_vote_scan(Relation index, const LoadedIndex& loaded, const LocalFeatures& query,
                          const VoteScanOptions& options);

/// The next row that has something in common with the query; rows that were compared come nearest
/// first. False: there are no more.
bool next_voted_row(VoteScan* votes, IndexScanDesc scan, RowDistance* measure,
                    RowPrefetcher* prefetcher, ComparedRow* row);

/// Whether next_voted_row() has given it out.
bool was_given(VoteScan* votes, EntryPointer row);

}  // namespace lookalike

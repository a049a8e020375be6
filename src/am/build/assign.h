// The third step of CREATE INDEX reads the table again: every row finds its list and is encoded.
#pragma once

#include "am/build/entry_sort.h"
#include "am/build/learn.h"

namespace lookalike {

struct AssignedRows {
    EntrySort* entries;       ///< of all rows
    double heap_rows;         ///< of the table, as PostgreSQL counts them
    double indexed_rows;      ///< of these, what the index has entries of
    Calibration calibration;  ///< zeros for one list
};

/// Stops the worker. `rows_seen` is what the sample has counted.
AssignedRows assign_rows(const BuildJob& job, LearnedLists* lists, uint64 rows_seen);

/// Bytes of the area shared with the worker that assign_rows() needs, from its start on.
uint64 assign_shared_bytes(const LearnedLists& lists);

}  // namespace lookalike

// What all scans of each index did, and how often its lists were replaced: of every session when
// the library was loaded with the server (shared_preload_libraries), else of this session.
#pragma once

#include "am/scan_stats.h"

namespace lookalike {

/// Asks for shared memory, if the library is being loaded with the server. Called by _PG_init.
void prepare_scan_totals();

/// Lists that took the place of others.
struct ListChanges {
    uint64 splits;
    uint64 merges;
    double milliseconds;  ///< that both took

    void add(const ListChanges& other);
};

/// Counts a scan of an index of this database. In shared memory only one that other sessions see
/// has a place: temporary indexes, and those that a rollback takes back, cost nothing to make.
void add_to_totals(Relation index, const ScanCounts& counts);

/// The same of changes of its lists.
void add_to_totals(Relation index, const ListChanges& changes);

}  // namespace lookalike

// What all scans of each index did: of every session when the library was loaded with the server
// (shared_preload_libraries), else of this session.
#pragma once

#include "am/scan_stats.h"

namespace lookalike {

/// Asks for shared memory, if the library is being loaded with the server. Called by _PG_init.
void prepare_scan_totals();

/// Counts a scan of an index of this database. In shared memory only one that other sessions see
/// has a place: temporary indexes, and those that a rollback takes back, cost nothing to make.
void add_to_totals(Relation index, const ScanCounts& counts);

}  // namespace lookalike

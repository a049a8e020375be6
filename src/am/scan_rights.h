// Whom the counts of scans may be told. They count entries near any place and behind any condition
// that a query names, also those of rows that its user may not see.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Whether the user may know such counts of every index: a member of pg_stat_scan_tables.
bool may_see_all_counts(Oid user);

/// Whether he may of this one, which may have been dropped: he owns its table, or could count its
/// rows himself, as he may read all of it or of a table that it is a partition of.
bool may_see_counts(Oid index, Oid user);

/// Whether he may know those of a scan that `scanner` ran. What a function looked for as its owner
/// is not its caller's business.
bool may_see_scan(Oid index, Oid scanner, Oid user);

}  // namespace lookalike

// Putting one entry into a list that others read and write at the same time.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

/// Writes `entry` to a free place of the list, or to a new list page at its end.
///
/// Locks go from a list page to its code and refine pages and to a page behind it, never back. What
/// lies outside the list page and does not fit one WAL record is logged first: until the last
/// record marks the entry live, nobody looks there.
void append_entry(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                  const EncodedEntry& entry);

}  // namespace lookalike

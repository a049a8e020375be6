// Putting one entry into a list that others read and write at the same time.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

/// A new list without entries, which nothing leads to yet.
BlockNumber create_list(Relation index, uint16 level);

/// Inserters of this list look from its first page on again.
void forget_insert_place(Relation index, BlockNumber list_id);

/// A list after an entry has come.
struct GrownList {
    uint64 entries;      ///< about
    uint32 whole_until;  ///< as its first page says
};

/// Writes `entry` to a free place of the list, or to a new list page at its end.
///
/// Locks go from a list page to its code and refine pages and to a page behind it, never back. What
/// lies outside the list page and does not fit one WAL record is logged first: until the last
/// record marks the entry live, nobody looks there.
GrownList append_entry(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                       const EncodedEntry& entry);

}  // namespace lookalike

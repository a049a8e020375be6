// Entries between being made and being written: sorted by list, then by row.
#pragma once

#include "pg/server.h"

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplesort.h"
}

#include "am/row_entries.h"

namespace lookalike {

/// Lives in one memory context.
struct EntrySort {
    uint64 entry_count;

    // The entry that comes next, after sort_entries().
    bool at_end;
    int32 list;
    EncodedEntry entry;  ///< its bytes are good until the next call

    // Of entry_sort.cpp.
    Tuplesortstate* sort;
    TupleTableSlot* put_slot;
    TupleTableSlot* get_slot;
    bytea* packed;  ///< the entry that is put in
    AttributeKeys attributes;
    uint32 key_bytes;
    uint32 code_bytes;
    uint32 refine_bytes;
};

/// `leaf` tells how long the parts of an entry are.
EntrySort* start_entry_sort(const ListGeometry& leaf, uint64 memory_bytes);

/// An entry of a leaf list, 0 to list_count - 1.
void put_entry(EntrySort* sort, uint32 list, const EncodedEntry& entry);

/// An entry of a list that keeps pointers only; see plain_list_key().
void put_plain_entry(EntrySort* sort, int32 list_key, EntryPointer pointer);

/// The lists of entries without a distance come after the leaf lists. REQUIRES: not kLeaf.
inline int32 plain_list_key(ListClass list_class, uint32 list_count) {
    return static_cast<int32>(list_count) + (list_class == ListClass::kNull ? 0 : 1);
}

/// After the last entry was put in; the first is there then.
void sort_entries(EntrySort* sort);

void next_sorted(EntrySort* sort);

void end_entry_sort(EntrySort* sort);

}  // namespace lookalike

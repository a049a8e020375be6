// The one door from a row to its entries: what CREATE INDEX, INSERT, faiss_index_check and
// faiss_index_calibrate know of an indexed column's type, they know from here.
//
// A row goes through it in three steps:
//   read_row()        the value, detoasted and checked, as its entries: which kind of list takes
//                     each, and its vector as SQL has it
//   to_index_space()  one entry's vector as the index encodes it
//   EntryEncoder      the entry as its list's pages hold it, once the list is known
//
// Only read_row() looks at the column's type. Another type than descriptor is read there into
// views of the same kinds, as many entries as its value has. What an entry of it carries besides
// its vector, a payload such as the place of a local feature in its picture, belongs to RowEntry
// here and to EncodedEntry on the way to the page; no type has one yet.
#pragma once

#include "am/storage/loaded_index.h"
#include "core/code/entry_encoder.h"
#include "pg/type/descriptor.h"

namespace lookalike {

/// Entries of one row at most. That it is one is relied upon where a row's place in the table
/// stands for its entry: faiss_index_check finds the entry of a row by it, and
/// faiss_index_calibrate its list (each has a static_assert), and a scan gives out a row for every
/// entry that it finds.
constexpr uint32 kMostEntriesPerRow = 1;

/// Which lists of an index take an entry.
enum class ListClass : uint8_t {
    kNull,         ///< the row has no value
    kNoDirection,  ///< cosine has no distance for it: every element is zero
    kLeaf,         ///< of the lists with a centroid, the nearest
};

struct RowEntry {
    ListClass list_class;
    DescriptorView vector;  ///< lies in the row's value; nothing for kNull
};

/// What one row puts into an index. Good while the row's value is, and until release_row().
struct RowEntries {
    uint32 count;
    RowEntry entries[kMostEntriesPerRow];
    void* detoasted;  ///< palloc'd copy of the value; null where it needed none

    const RowEntry* begin() const { return entries; }
    const RowEntry* end() const { return entries + count; }
};

/// Whether a row has a value, without reading it. Rows are as aminsert gets them, this column
/// first.
inline bool has_value(const bool* is_null) {
    return !is_null[0];
}

/// Reads a row for an index that exists; raises unless its value fits. While the index does not
/// know its dimensions any number of them does.
RowEntries read_row(Relation index, const LoadedIndex& loaded, const Datum* values,
                    const bool* is_null);

/// The same while an index is being built; `dims` is 0 as long as there was no value.
RowEntries read_row_to_build(Metric metric, uint32 dims, const Datum* values, const bool* is_null);

/// Gives back what read_row() has palloc'd, for those who read millions in one memory context.
void release_row(const RowEntries& row);

/// The elements as floats, as SQL has them; bits as -1 and 1. `to` has room for all.
void copy_elements(const RowEntry& entry, float* to);

/// The entry's vector as the index encodes it, in `to`, which has entry_vector_bytes and the
/// alignment of floats. `space` is null for binary metrics; `scratch` has room for all elements.
/// REQUIRES: kLeaf.
EntryVector to_index_space(const IndexSpace* space, const RowEntry& entry, float* scratch,
                           void* to);

}  // namespace lookalike

// The one door from a row to its entries: what CREATE INDEX, INSERT, faiss_index_check and
// faiss_index_calibrate know of an indexed column's type, they know from here.
//
// A row goes through it in three steps:
//   read_row()        the value, detoasted and checked, as its entries: which kind of list takes
//                     each, and its vector as SQL has it
//   to_index_space()  one entry's vector as the index encodes it
//   EntryEncoder      the entry as its list's pages hold it, once the list is known
//
// Only read_row() looks at the column's type. A descriptor, or a vector of pgvector, is one entry.
// Local features are an entry for each, of its code, and before them one that stands for the row:
// the plain list of these tells which rows there are, also those without any feature.
#pragma once

#include "am/storage/loaded_index.h"
#include "core/code/entry_encoder.h"
#include "core/local/local_features.h"
#include "pg/type/descriptor.h"

namespace lookalike {

/// Which lists of an index take an entry.
enum class ListClass : uint8_t {
    kNull,         ///< the row has no value
    kNoDirection,  ///< cosine has no distance for it: every element is zero
    kLeaf,         ///< of the lists with a centroid, the nearest
    kRow,          ///< local features: the row has a value, whatever is in it
};

struct RowEntry {
    ListClass list_class;
    DescriptorView vector;  ///< lies in the row's value; nothing for kNull and kRow
};

/// What one row puts into an index. Good while the row's value is, and until release_row().
struct RowEntries {
    uint32 count;
    RowEntry only;       ///< where `several` is null
    RowEntry* several;   ///< palloc'd
    uint8_t local_kind;  ///< a LocalKind; 0: not of local features
    void* detoasted;     ///< palloc'd copy of the value; null where it needed none
    uint8_t* codes;      ///< palloc'd; null where entries lie in the value

    /// Of its entries, those that have a vector.
    uint32 vector_count() const { return several == nullptr ? count : count - 1; }

    const RowEntry* begin() const { return several == nullptr ? &only : several; }
    const RowEntry* end() const { return begin() + count; }
};

/// Whether a row has a value, without reading it. Rows are as aminsert gets them, this column
/// first.
inline bool has_value(const bool* is_null) {
    return !is_null[0];
}

/// Raises unless an index can hold, or be asked for, local features of this kind.
void check_local_kind(const MetaPage& meta, LocalKind kind);

/// Reads a row for an index that exists; raises unless its value fits. While the index does not
/// know its dimensions any number of them does.
RowEntries read_row(Relation index, const LoadedIndex& loaded, const Datum* values,
                    const bool* is_null);

/// The same while an index is being built; of `meta` the content and metric are read, and what is
/// known of values until now.
RowEntries read_row_to_build(const MetaPage& meta, const Datum* values, const bool* is_null);

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

// Gives the rows that the entries of a list page stand for, as their codes tell them.
#pragma once

#include "am/upkeep/row_vectors.h"
#include "core/code/entry_encoder.h"

namespace lookalike {

/// Reads one list page at a time, and of what lies outside of it a part at a time. Lives in one
/// memory context, and holds copies only.
struct EntryReader {
    IndexShape shape;
    BlockNumber block;  ///< that the page was taken from
    uint8_t* page;
    uint8_t* part;     ///< of the refine or code stream
    RowVectors* rows;  ///< where entries do not tell them
};

/// The codes of some entries that follow each other.
struct EntryPart {
    const uint8_t* codes;  ///< of the first of them; null: VACUUM has recycled them, or no such row
    uint32 first;
    uint32 end;
};

/// `rows` is null where the entries have refine codes or are bits.
EntryReader* make_entry_reader(const IndexShape& shape, RowVectors* rows, MemoryContext context);

/// Copies a leaf list's page that is locked, if `is_wanted`, and returns the next of its chain.
/// Raises unless it is sound.
BlockNumber take_page(EntryReader* reader, Relation index, Buffer buffer, bool is_wanted);

/// Of the page: places for entries, whether one is in use, how many are, the next from a place on
/// (entry_places() when there is none), and the n-th.
uint32 entry_places(const EntryReader& reader);
bool is_live(const EntryReader& reader, uint32 entry);
uint32 live_count(const EntryReader& reader);
uint32 next_live(const EntryReader& reader, uint32 entry);
uint32 nth_live(const EntryReader& reader, uint32 n);

/// Reads the part that an entry is in; it is good until the next call. REQUIRES: is_live().
EntryPart read_part(EntryReader* reader, Relation index, uint32 entry);

/// The row of an entry of the part; neither floats nor bits: it is not known. It lies in the part
/// or in `floats`, code_dims of them. Core code: calls nothing of PostgreSQL. REQUIRES: part.codes;
/// is_live().
EntryVector decode(const EntryReader& reader, const EntryPart& part, uint32 entry, float* floats);

}  // namespace lookalike

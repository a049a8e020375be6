// Reads the entries of a list, also those that came while it was read before.
#pragma once

#include "am/upkeep/row_vectors.h"

namespace lookalike {

/// One entry as it lies in its list. Good until the next one is read.
struct ListEntry {
    EntryPointer pointer;
    AttributeKeys attributes;
    const uint8_t* code;  ///< its refine code, the bits of a binary metric, or its row code
};

/// Which entries a reading of the list gives.
enum class Reading {
    kAll,   ///< all; those that were seen before are forgotten
    kSeen,  ///< those that were seen before, in the same order
    kNew,   ///< those that were not
};

/// Lives in one memory context. REQUIRES: nobody takes entries or pages out of the list.
struct ListCopier {
    Relation index;
    BlockNumber list;
    ListGeometry geometry;
    uint8_t* page;   // copy of a list page
    uint8_t* codes;  // of one of its blocks, where they lie outside
    uint8_t* slot;
    uint32* seen;  // entries: a mask for each block of each page
    uint32 seen_pages;

    // Where entries do not tell their rows.
    RowVectors* rows;
    const IndexSpace* space;
    const float* centroid;  // of the list
    uint8_t* signs;         // of one entry
    uint8_t* row_code;

    // Where it stands.
    Reading reading;
    BlockNumber block;
    BlockNumber next_block;  // kNoBlock: none
    uint32 position;         // of the page
    uint32 next_index;       // there
    uint32 codes_of_block;   // that `codes` holds; none: the highest number
};

ListCopier* make_list_copier(Relation index, BlockNumber list, const ListGeometry& geometry);

/// The same where entries do not tell their rows; the centroid is the list's.
ListCopier* make_row_copier(Relation index, BlockNumber list, const ListGeometry& geometry,
                            RowVectors* rows, const IndexSpace* space, const float* centroid);

void start_reading(ListCopier* copier, Reading reading);

/// Steps to the next entry; false: there is none.
bool next_entry(ListCopier* copier);

/// The entry that was stepped to.
ListEntry read_entry(ListCopier* copier);

}  // namespace lookalike

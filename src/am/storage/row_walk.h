// Rows that come as they lie, a page at a time: those of one plain list, or those of the whole
// file.
#pragma once

#include "am/storage/tree.h"

namespace lookalike {

/// No page of these lists is ever given back, so a walk needs no pin between calls.
struct RowWalk {
    bool is_of_file;  ///< else of one plain list
    BlockNumber next_page;
    BlockNumber page_limit;  ///< of the file
    BlockNumber left_out;    ///< of the file: a list whose rows are not wanted, or kNoBlock
    ListNumbers lists;       ///< of the file: those in the tree
    uint32 walked_pages;
    EntryPointer* pointers;  ///< of the page that was read last
    uint32 pointer_count;
    uint32 pointer_position;
};

/// In the current memory context.
RowWalk make_row_walk();

void walk_list(RowWalk* walk, BlockNumber first_page);

/// Every row of the tree's lists as `meta` tells them, and of the plain lists but `left_out`, if it
/// is not kNoBlock.
void walk_file(RowWalk* walk, Relation index, const MetaPage& meta, BlockNumber left_out);

/// False: there are no more.
bool next_of_walk(RowWalk* walk, Relation index, const MetaPage& meta, EntryPointer* row);

}  // namespace lookalike

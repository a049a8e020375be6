// Rows that come as they lie, a page at a time: those of one plain list, or those of the whole
// file.
#pragma once

#include "core/page/meta_page.h"
#include "pg/server.h"

namespace lookalike {

/// No page of these lists is ever given back, so a walk needs no pin between calls.
struct RowWalk {
    bool is_of_file;  ///< else of one plain list
    BlockNumber next_page;
    BlockNumber page_limit;  ///< of the file
    BlockNumber left_out;    ///< of the file: a list whose rows are not wanted, or kNoBlock
    uint32 walked_pages;
    EntryPointer* pointers;  ///< of the page that was read last
    uint32 pointer_count;
    uint32 pointer_position;
};

/// In the current memory context.
RowWalk make_row_walk();

void walk_list(RowWalk* walk, BlockNumber first_page);

/// `left_out`: a list whose rows are not wanted, or kNoBlock.
void walk_file(RowWalk* walk, Relation index, BlockNumber left_out);

/// False: there are no more.
bool next_of_walk(RowWalk* walk, Relation index, const MetaPage& meta, EntryPointer* row);

}  // namespace lookalike

// Which places of the table an index may point at.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/off.h"
#include "utils/rel.h"
}

namespace lookalike {

/// Those of one block are known at a time.
struct LinePointers {
    Relation heap;
    bool is_heap;  ///< the table's pages are what PostgreSQL's own table access method makes
    BlockNumber block;
    bool is_root[MaxOffsetNumber + 1];
};

void start_line_pointers(LinePointers* pointers, Relation heap);

/// Whether there may be an entry of this place (block << 16 | offset): it is in use, and no
/// heap-only tuple, which is found through the first row of its chain.
bool may_have_entry(LinePointers* pointers, int64 row);

}  // namespace lookalike

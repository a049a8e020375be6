// The distance of a row of the table, as the executor will compute it.
#pragma once

#include "am/access_method.h"
#include "core/page/page_format.h"

namespace lookalike {

/// What computing it takes; zero but for query and function before the first. Lives in one memory
/// context.
struct RowDistance {
    Datum query;               ///< as the operator takes it, out of TOAST
    const FmgrInfo* function;  ///< the operator's
    Oid collation;
    MemoryContext context;  ///< of one row
    struct IndexInfo* columns;
    struct EState* state;
    struct TupleTableSlot* slot;
    BlockNumber table_blocks;  ///< as last known
};

/// Raises unless an entry points into the table, whose size is known as `table_blocks`: it cannot
/// shrink while it is scanned, so it is asked for only when it seems to have grown.
void check_pointer(IndexScanDesc scan, EntryPointer pointer, BlockNumber* table_blocks);

/// False: the scan's snapshot sees no such row. Raises for a pointer that is no place of the table.
bool measure_row(RowDistance* measure, IndexScanDesc scan, EntryPointer row, double* distance);

void end_measuring(RowDistance* measure);

}  // namespace lookalike

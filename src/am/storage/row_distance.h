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
};

/// False: the scan's snapshot sees no such row.
bool measure_row(RowDistance* measure, IndexScanDesc scan, EntryPointer row, double* distance);

void end_measuring(RowDistance* measure);

}  // namespace lookalike

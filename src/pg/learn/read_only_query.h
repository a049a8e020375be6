// A query that somebody gives as a text: run as the caller, without the right to write anything.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
}

namespace lookalike {

using TakeColumns = void (*)(TupleDesc row_type, void* argument);
using TakeRow = void (*)(HeapTuple tuple, TupleDesc row_type, void* argument);

/// Calls `take_columns` before the first row and `take_row` for each one, in a memory context that
/// is reset after it. Raises unless it is one SELECT that changes nothing. Rows come a few at a
/// time, and a cancel ends it between two of them. REQUIRES: SPI is connected.
void run_read_only(const char* query, TakeColumns take_columns, TakeRow take_row, void* argument);

}  // namespace lookalike

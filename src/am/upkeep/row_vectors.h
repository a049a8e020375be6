// The rows that entries stand for, from the table: for indexes that keep nothing of a row but its
// scan code (refine = none).
#pragma once

#include "am/storage/loaded_index.h"
#include "core/split/row_code.h"

namespace lookalike {

enum class FetchedRow {
    kFound,
    /// No transaction that begins now or later sees it, and none can be asked for it: it is dead
    /// but for older snapshots, if not gone.
    kGone,
    /// Another transaction has inserted it and goes on, and its value lies in TOAST: should that
    /// transaction end badly, it may go while it is read.
    kUncertain,
};

struct RowVectors;

/// Whether rows can be fetched: the column is none of an expression, and the table is a heap.
bool can_fetch_rows(Relation table, Relation index);

/// In the current memory context. The index's space must outlive it. REQUIRES: can_fetch_rows();
/// real or half.
RowVectors* begin_row_vectors(Relation table, Relation index, const LoadedIndex& loaded);

/// Writes the row that an entry points at as a row code (core/split/row_code.h). Holds no pin
/// afterwards. REQUIRES: nobody takes the entry out of the index.
FetchedRow fetch_row_vector(RowVectors* rows, EntryPointer pointer, uint8_t* code);

/// Whether a row was kUncertain.
bool met_uncertain_row(const RowVectors* rows);

void end_row_vectors(RowVectors* rows);

}  // namespace lookalike

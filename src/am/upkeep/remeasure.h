// An index measures itself anew when its lists have changed: by and by where rows are inserted, all
// at once in VACUUM.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// Whether what was measured belongs to another number of lists by now: by more than one of so
/// many.
bool is_measuring_due(const LoadedIndex& loaded, uint32 part = 10);

/// Whether measure_now() would ask clearly more queries than were asked.
bool are_queries_few(const LoadedIndex& loaded);

/// After one row was inserted: goes on measuring if that is due, now and then, so that it takes a
/// few microseconds a row. What has begun is kept in this backend.
void measure_beside_insert(Relation index, Relation table, const LoadedIndex& loaded);

/// Measures, and keeps what comes of it in the index. Nothing happens where entries do not tell
/// their rows.
void measure_now(Relation index);

/// Keeps what was measured.
void write_calibration(Relation index, const Calibration& calibration);

}  // namespace lookalike

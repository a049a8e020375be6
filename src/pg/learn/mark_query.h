// A query whose rows are marks: run as the caller, without the right to write anything.
#pragma once

#include "pg/learn/mark_sample.h"

namespace lookalike {

/// Runs `query`, which gives (features), (features, label) or (features, features, boolean), and
/// adds its rows to the sample; says what it learns in sample->aim. Returns how many rows had a
/// NULL, and were left out. REQUIRES: SPI is connected.
uint64 read_marks(const char* query, MarkSample* sample);

}  // namespace lookalike

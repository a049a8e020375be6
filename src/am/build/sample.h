// The first step of CREATE INDEX reads the table once.
#pragma once

#include "am/build/job.h"

namespace lookalike {

/// Lives in the build's memory context.
struct RowSample {
    Kind kind;           ///< of the column or of the first value; meaningless while dims is 0
    uint32 dims;         ///< 0: there was no value, and the column does not say
    uint8_t local_kind;  ///< a LocalKind; 0: there was no value, or it is of no local features
    uint64 rows_seen;    ///< vectors of the table: a row with a value has one, local features many
    uint64 row_count;    ///< of the sample
    float* rows;         ///< row_count x dims, as SQL has them; bits as -1 and 1; may be null

    const float* row(uint64 number) const { return rows + number * dims; }
};

/// Counts vectors, or what many rows have is estimated from some; settles kind and dimensions,
/// keeps a random sample.
RowSample sample_rows(const BuildJob& job);

/// Gives back its rows, which are the most of it.
void release_rows(RowSample* sample);

}  // namespace lookalike

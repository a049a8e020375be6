// How distances are spread in a table whose index has not measured it: indexes of one list have
// not, as there is nothing to choose for them.
#pragma once

#include "core/measure/calibration_record.h"
#include "inspect/rights.h"

namespace lookalike {

/// Measured on some thousand rows at most.
struct SampledDistances {
    Calibration calibration;  ///< row_count: of the sample; all zero: fewer than two rows
    double rows;              ///< of the table that are in the index
};

/// Reads rows as the table's owner, in milliseconds, and keeps the result until the table has
/// grown. The table is one of `table_count` that are asked at once, and share the time. REQUIRES:
/// what open_inspected() gave.
SampledDistances sampled_distances(const InspectedIndex& inspected, uint32 table_count);

}  // namespace lookalike

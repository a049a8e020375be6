// How clustering keeps the rows of a partition: in a form in which rows that are alike to the
// metric have the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/vector/element.h"
#include "core/vector/metric.h"

namespace lookalike {

/// All rows of a partition have one form.
struct RowForm {
    Kind kind;
    uint32_t dims;
    bool has_length_one;  ///< real; without it rows of the same direction would differ

    size_t bytes() const { return element_bytes(kind, dims); }
};

/// For k-means: cosine compares rows of length 1, as floats.
constexpr RowForm learning_form(const DescriptorView& row, Metric metric) {
    const bool needs_length = needs_direction(metric);
    return {needs_length ? Kind::kReal : row.kind, row.dims, needs_length};
}

/// Writes form.bytes() bytes, in which -0 is 0. False: the row has no direction, and the form wants
/// one. REQUIRES: form.dims == row.dims; the kind is that of the row, or both of them are numbers
/// and the form is real; `kept` aligned for the kind.
bool keep_row(const RowForm& form, const DescriptorView& row, void* kept);

/// form.dims floats, as k-means sees a row that was kept; bits are -1 and 1.
void kept_to_floats(const RowForm& form, const void* kept, float* floats);

/// The same for the same bytes on machines of one byte order.
uint64_t row_hash(const void* kept, size_t bytes);

}  // namespace lookalike

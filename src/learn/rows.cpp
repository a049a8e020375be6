#include "learn/rows.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "core/protocol/worker.h"

namespace lookalike {

void check_rows(const RowsView& rows) {
    size_t bad_row = rows.row_count;
#pragma omp parallel for reduction(min : bad_row)
    for (size_t i = 0; i < rows.row_count; ++i) {
        const float* row = rows.row(i);
        float squared_norm = 0;
#pragma omp simd reduction(+ : squared_norm)
        for (size_t d = 0; d < rows.dims; ++d)
            squared_norm += row[d] * row[d];
        // Written so that NaN fails it as well.
        if (!(squared_norm <= kWorkerMaxSquaredNorm)) bad_row = std::min(bad_row, i);
    }
    if (bad_row < rows.row_count)
        throw InvalidRows("row " + std::to_string(bad_row) +
                          " of the batch holds NaN, infinity or "
                          "values too large to be squared");
}

std::vector<uint32_t> distinct_rows(const RowsView& rows) {
    struct Entry {
        size_t hash;
        uint32_t index;
    };
    const size_t row_bytes = rows.dims * sizeof(float);
    std::vector<Entry> entries(rows.row_count);
#pragma omp parallel for
    for (size_t i = 0; i < rows.row_count; ++i) {
        const std::string_view bytes(reinterpret_cast<const char*>(rows.row(i)), row_bytes);
        entries[i] = {std::hash<std::string_view>{}(bytes), static_cast<uint32_t>(i)};
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.hash != b.hash ? a.hash < b.hash : a.index < b.index;
    });
    // Two rows of one hash that differ are both kept; a third that equals the first of them is then
    // kept twice, which costs one needless centroid once in many billion rows.
    std::vector<uint32_t> distinct;
    for (size_t i = 0; i < entries.size(); ++i) {
        const bool repeats =
            i > 0 && entries[i].hash == entries[i - 1].hash &&
            std::memcmp(rows.row(entries[i].index), rows.row(entries[i - 1].index), row_bytes) == 0;
        if (!repeats) distinct.push_back(entries[i].index);
    }
    std::sort(distinct.begin(), distinct.end());
    return distinct;
}

}  // namespace lookalike

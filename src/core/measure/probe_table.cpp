#include "core/measure/probe_table.h"

#include <algorithm>
#include <numeric>

#include "core/no_postgres.h"

namespace lookalike {

uint32_t lists_with(const RowsByRank& rows, double share) {
    const auto all = std::accumulate(rows.begin(), rows.end(), uint64_t{0});
    uint64_t so_far = rows.empty() ? 0 : rows[0];
    uint32_t count = 1;
    while (count < rows.size() && static_cast<double>(so_far) < share * static_cast<double>(all))
        so_far += rows[count++];
    return count;
}

ProbeTable probe_table(const std::array<RowsByRank, kCalibratedRowCounts>& rows,
                       const RowsByRank& of_full) {
    ProbeTable table;
    for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
        const double recall = kCalibratedRecalls[j];
        uint32_t lists = lists_with(rows[0], recall);
        if (recall >= kFullQueriesDecideFrom) lists = std::max(lists, lists_with(of_full, recall));
        table[0][j] = lists;
        // More rows never take fewer lists.
        for (uint32_t i = 1; i < kCalibratedRowCounts; ++i)
            table[i][j] = std::max(table[i - 1][j], lists_with(rows[i], recall));
    }
    return table;
}

}  // namespace lookalike

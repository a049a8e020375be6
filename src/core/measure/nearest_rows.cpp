#include "core/measure/nearest_rows.h"

#include <algorithm>
#include <limits>

#include "core/measure/query_kernel.h"

#include "core/no_postgres.h"

namespace lookalike {

// Places behind the last query have a limit that nothing is below.
NearestRows::NearestRows(size_t query_count, uint32_t wanted, bool skips_zero)
    : wanted_(wanted),
      skips_zero_(skips_zero),
      counts_(query_count),
      rows_(std::make_unique_for_overwrite<NearRow[]>(query_count * places(wanted))),
      below_(query_block_count(query_count)) {
    limits_.assign(query_count, std::numeric_limits<float>::infinity());
    limits_.resize(below_.size() * kQueriesSideBySide, -std::numeric_limits<float>::infinity());
}

void NearestRows::pass(const float* keys, uint32_t list, const uint32_t* among) {
    find_below(keys, limits_.data(), below_.size(), below_.data());
    for (size_t i = 0; among != nullptr && i < below_.size(); ++i)
        below_[i] &= among[i];
    for_each_bit(below_, [&](size_t query) { keep(query, {keys[query], list}); });
}

void NearestRows::keep(size_t query, NearRow row) {
    if (skips_zero_ && row.key == 0) return;
    uint32_t& count = counts_[query];
    rows_of(query)[count++] = row;
    if (count == places(wanted_)) drop_farthest(query);
}

void NearestRows::drop_farthest(size_t query) {
    NearRow* rows = rows_of(query);
    std::nth_element(rows, rows + wanted_ - 1, rows + counts_[query]);
    counts_[query] = wanted_;
    limits_[query] = rows[wanted_ - 1].key;
}

std::span<const NearRow> NearestRows::sorted(size_t query) {
    if (counts_[query] > wanted_) drop_farthest(query);
    NearRow* rows = rows_of(query);
    // It may have been asked for before.
    if (!std::is_sorted(rows, rows + counts_[query])) std::sort(rows, rows + counts_[query]);
    return {rows, counts_[query]};
}

}  // namespace lookalike

// Draws the queries by which an index measures itself from rows that come one by one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>

#include "core/measure/calibrator.h"

namespace lookalike {

struct QueryCounts {
    uint64_t all_rows;    ///< queries that meet all rows
    uint64_t near_lists;  ///< queries that meet the rows of near lists

    uint64_t sum() const { return all_rows + near_lists; }
};

/// Every row has the same chance, wherever it stands; of too few rows all are taken, and both kinds
/// go short.
class QueryDraw {
  public:
    QueryDraw(const QueryCounts& wanted, uint64_t row_count)
        : missing_(wanted), rows_left_(row_count) {}

    /// What the next row meets if it is a query. REQUIRES: not called more than row_count times.
    std::optional<Meets> next() {
        const uint64_t drawn = random_() % std::max(rows_left_--, missing_.sum());
        if (drawn >= missing_.sum()) return std::nullopt;
        const Meets meets = drawn < missing_.all_rows ? Meets::kAllRows : Meets::kNearLists;
        --(meets == Meets::kAllRows ? missing_.all_rows : missing_.near_lists);
        return meets;
    }

  private:
    QueryCounts missing_;
    uint64_t rows_left_;
    std::mt19937_64 random_{19650917};
};

}  // namespace lookalike

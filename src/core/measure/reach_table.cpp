#include "core/measure/reach_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/measure/probe_table.h"
#include "core/search/probe_plan.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr float kUnreachable = std::numeric_limits<float>::max();
constexpr float kNoReach = std::numeric_limits<float>::lowest();

// The least reach with which a spread finds this share of the rows. Without limit where all of its
// lists hold too few, `otherwise` where no list of it is in question.
float least_reach(std::span<const ReachedRow> rows, double recall, const SpreadOfLists& spread,
                  float otherwise) {
    std::vector<float> in_question;
    int64_t in_first = 0;
    for (const ReachedRow& row : rows) {
        if (row.rank < spread.first) {
            ++in_first;
        } else if (row.rank < spread.most) {
            in_question.push_back(row.reach);
        }
    }
    const auto wanted = static_cast<int64_t>(std::ceil(recall * static_cast<double>(rows.size())));
    const int64_t missing = wanted - in_first;
    const int64_t place = std::max<int64_t>(missing - 1, 0);
    if (place >= static_cast<int64_t>(in_question.size()))
        return missing > 0 ? kUnreachable : otherwise;
    std::nth_element(in_question.begin(), in_question.begin() + place, in_question.end());
    return in_question[static_cast<size_t>(place)];
}

// So many rows may be missed.
size_t missed_rows(const ReachedRows& rows, double recall) {
    return static_cast<size_t>((1 - recall) * static_cast<double>(rows.size() - 1));
}

bool is_opened(const ReachedRow& row, const SpreadOfLists& spread, float reach_within) {
    return row.rank < spread.first || (row.rank < spread.most && row.reach <= reach_within);
}

// The farthest reach of rows that may not be missed, in lists that a spread does not open;
// kNoReach: there are none. REQUIRES: rows, by falling reach.
float reach_besides(const ReachedRows& rows, double recall, const SpreadOfLists& spread,
                    float reach_within) {
    size_t may_miss = missed_rows(rows, recall);
    for (const ReachedRow& row : rows) {
        if (is_opened(row, spread, reach_within)) continue;
        if (may_miss == 0) return row.reach;
        --may_miss;
    }
    return kNoReach;
}

// The least that any row takes.
float least_of(const LeftRows& left) {
    float least = kUnreachable;
    for (const ReachedRows& rows : left)
        if (!rows.empty()) least = std::min(least, rows.back().reach);
    return least;
}

}  // namespace

// What the first lists do not hold must come from those that reach far enough. Recalls are read
// between the columns: so where no list is in question, as from the next column.
ByRecall<float> reach_within_spread(std::span<const ReachedRow> rows,
                                    std::span<const ReachedRow> of_full,
                                    const ByRecall<uint32_t>& probes) {
    ByRecall<float> result;
    float next = kUnreachable;
    for (uint32_t j = kCalibratedRecallCounts; j-- > 0;) {
        const double recall = kCalibratedRecalls[j];
        const SpreadOfLists spread = spread_at(probes, recall);
        result[j] = least_reach(rows, recall, spread, next);
        if (recall >= kFullQueriesDecideFrom)
            result[j] = std::max(result[j], least_reach(of_full, recall, spread, next));
        next = result[j];
    }
    return result;
}

// So far that only as many of the rows that a filter leaves are missed as each recall allows.
ByRecall<float> reach_alone(const LeftRows& left) {
    ByRecall<float> result;
    result.fill(kNoReach);
    for (const uint32_t filter : {kSparseFilter, kFarFilter}) {
        const ReachedRows& rows = left[filter];
        for (uint32_t j = 0; j < kCalibratedRecallCounts && !rows.empty(); ++j) {
            const size_t missed = missed_rows(rows, kCalibratedRecalls[j]);
            result[j] = std::max(result[j], rows[missed].reach);
        }
    }
    return result;
}

ByRecall<float> reach_besides_spread(const LeftRows& left, const ByRecall<uint32_t>& probes,
                                     const ByRecall<float>& reach_within) {
    ByRecall<float> result;
    // Where nothing lies beyond the spread; a mean with another column must have a value.
    result.fill(least_of(left));
    for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
        const double recall = kCalibratedRecalls[j];
        const SpreadOfLists spread = spread_at(probes, recall);
        for (uint32_t filter = 0; filter < kThinningCount; ++filter) {
            const ReachedRows& rows = left[filter];
            if (rows.empty()) continue;
            result[j] = std::max(result[j], reach_besides(rows, recall, spread, reach_within[j]));
        }
    }
    return result;
}

}  // namespace lookalike

// Exact nearest neighbours among the rows that pass a filter, and recall measured against them.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/bench/dataset.h"
#include "tools/bench/filter_attributes.h"

namespace lookalike {

/// "attribute = wanted", with one wanted value a query.
struct FilterCondition {
    const AttributeValues* attribute;  ///< of the base rows
    AttributeValues wanted;            ///< of the queries, or of the first of them
};

class FilterTruth {
  public:
    /// Brute force on every core, in one pass over the rows for all conditions.
    /// REQUIRES: the set and the attributes outlive this object; equally many queries in each.
    FilterTruth(const Dataset& set, std::vector<FilterCondition> conditions,
                uint32_t neighbour_count);

    const FilterCondition& condition(size_t index) const { return conditions_[index]; }

    /// How many rows pass.
    uint32_t match_count(size_t condition, uint32_t query) const {
        return answer(condition, query).match_count;
    }

    /// The part that was found of the nearest rows that pass: `neighbour_count`, or as many as pass
    /// (1 when none does). Ties count as in GroundTruth::recall; rows that do not pass count for
    /// nothing.
    double recall(size_t condition, uint32_t query, std::vector<uint32_t> ids) const;

  private:
    struct Answer {
        uint32_t match_count = 0;
        double last_distance = 0;  ///< of the last neighbour that can be found
    };

    const Answer& answer(size_t condition, uint32_t query) const {
        return answers_[condition * query_count_ + query];
    }
    void compute(uint32_t query);

    const Dataset& set_;
    std::vector<FilterCondition> conditions_;
    uint32_t neighbour_count_;
    uint32_t query_count_;
    std::vector<Answer> answers_;
};

}  // namespace lookalike

// How far a search by votes looks.
#pragma once

#include <cstdint>

namespace lookalike {

struct VoteEffort {
    /// Of so many of the nearest words the lists are read, for each feature that is asked for.
    uint32_t lists_per_feature;
    /// The search is over when so many rows in a row have shown something else than the query.
    uint32_t patience;
};

/// For a share of the nearest rows that is to be found.
constexpr VoteEffort vote_effort(double recall) {
    if (recall <= 0.9) return {1, 32};
    if (recall <= 0.95) return {2, 64};
    if (recall <= 0.98) return {4, 128};
    return {8, 256};
}

/// Who wants all rows of a sphere, and not the nearest, waits longer.
constexpr uint32_t kPatienceInSphere = 2;

}  // namespace lookalike

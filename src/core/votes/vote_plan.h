// How far a search by votes looks.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lookalike {

struct VoteEffort {
    /// Of so many of the nearest words the lists are read, for each feature that is asked for.
    uint32_t lists_per_feature;
    /// The search is over when so many rows in a row have shown something else than the query.
    uint32_t patience;
};

/// A search remembers which feature wants which list.
constexpr uint32_t kMostListsPerFeature = 32;

/// For a share of the nearest rows that is to be found. `probes`: so many lists, if it is not 0.
constexpr VoteEffort vote_effort(double recall, uint32_t probes) {
    VoteEffort effort{8, 320};
    if (recall <= 0.98) effort = {4, 160};
    if (recall <= 0.95) effort = {2, 96};
    if (recall <= 0.9) effort = {1, 48};
    if (probes > 0) effort.lists_per_feature = std::min(probes, kMostListsPerFeature);
    return effort;
}

/// Who wants all rows of a sphere, and not the nearest, waits longer.
constexpr uint32_t kPatienceInSphere = 2;

}  // namespace lookalike

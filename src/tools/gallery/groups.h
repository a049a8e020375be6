// Pairs become groups.
#pragma once

#include <string>
#include <vector>

namespace lookalike {

struct Pair {
    std::string a, b;
    double distance;
};

struct Group {
    std::vector<std::string> members;  ///< in the order in which the pairs name them
    double nearest;                    ///< distance of its nearest pair
};

/// Whoever is joined by a chain of pairs; the largest first, of equal ones the nearest.
std::vector<Group> groups_of(const std::vector<Pair>& pairs);

}  // namespace lookalike

// Two pictures' local features compared: how much of one is in the other, and where.
#pragma once

#include <cstdint>
#include <vector>

#include "core/local/local_features.h"

namespace lookalike {

/// Up to this distance two pictures show the same thing.
constexpr double kSameDistance = 0.7;

struct SetMatch {
    uint32_t matches;   ///< pairs of features that are alike
    uint32_t inliers;   ///< of these, pairs that one movement of the picture explains
    double weight;      ///< what the inliers are worth together
    bool has_movement;  ///< the weight is not 0
    /// x in a = m[0] x + m[1] y + m[2], y in a = m[3] x + m[4] y + m[5], of x and y in b: pixels of
    /// the pictures as they are, also where features were found in a mirror.
    double movement[6];
    bool is_mirrored;  ///< one of the two was seen in a mirror

    /// 0: the same, 1: nothing of one was found in the other.
    double distance() const;
};

/// A feature of a and the feature of b that shows the same spot.
struct MatchedPair {
    uint32_t a, b;
};

/// REQUIRES: both of one kind. match_sets(a, b) and match_sets(b, a) tell the same, each from its
/// side; distance and counts are equal, bit by bit, on every machine. Adds to `pairs`, if wanted,
/// the inliers, those that are most alike first.
SetMatch match_sets(const LocalFeatures& a, const LocalFeatures& b, CheckForEnd check = nullptr,
                    std::vector<MatchedPair>* pairs = nullptr);

}  // namespace lookalike

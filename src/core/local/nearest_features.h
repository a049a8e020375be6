// For each feature of one set the nearest feature of another.
#pragma once

#include <vector>

#include "core/local/local_features.h"

#include "core/no_postgres.h"

namespace lookalike {

/// What is nearest, and how near the nearest is that lies elsewhere in the picture.
struct NearestFeature {
    uint32_t index;
    uint16_t distance;
    uint16_t elsewhere;  ///< UINT16_MAX where there is none
};

/// The set in which is searched. Keeps a pointer to `features`, which has one feature at least.
class FeatureTarget {
  public:
    /// Places no farther than `reach` of kPlaceParts, in x and in y, count as the same.
    FeatureTarget(const LocalFeatures& features, uint16_t reach);

    /// False when the nearest is farther than `most`. Of equally near ones the first.
    bool find_nearest(const uint8_t* descriptor, uint16_t most, NearestFeature* nearest);

  private:
    const LocalFeatures& features_;
    uint16_t reach_;
    std::vector<uint64_t> planes_;
    std::vector<uint16_t> distances_;
};

}  // namespace lookalike

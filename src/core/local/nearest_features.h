// For each feature of one set the nearest feature of another.
#pragma once

#include <vector>

#include "core/local/bit_distances.h"
#include "core/local/local_features.h"

#include "core/no_postgres.h"

namespace lookalike {

struct NearestFeature {
    uint32_t index;
    uint16_t distance;
};

/// What a nearest feature must be to be found.
struct Nearness {
    uint16_t most;  ///< no farther than this
    uint16_t
        percent;  ///< of the distance to what is nearest elsewhere in the picture, less than this
};

/// The set in which is searched. Keeps a pointer to `features`, which has one feature at least.
class FeatureTarget {
  public:
    /// Places no farther than `reach` of kPlaceParts, in x and in y, count as the same.
    FeatureTarget(const LocalFeatures& features, uint16_t reach);

    /// False when there is none. Of equally near ones the first.
    bool find_nearest(const uint8_t* descriptor, const Nearness& wanted, NearestFeature* nearest);

  private:
    const LocalFeatures& features_;
    uint16_t reach_;
    std::vector<BitBlock> blocks_;
    std::vector<uint16_t> distances_;
};

}  // namespace lookalike

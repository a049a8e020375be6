#include "core/local/nearest_features.h"

#include "core/local/bit_distances.h"
#include "core/local/byte_distances.h"
#include "core/local/least_distance.h"

namespace lookalike {
FeatureTarget::FeatureTarget(const LocalFeatures& features, uint16_t reach)
    : features_(features), reach_(reach), distances_(features.count()) {
    if (features.kind() != LocalKind::kOrb) return;
    planes_.resize(kWordsOfBits * features.count());
    plane_words(features.descriptors, features.count(), planes_.data());
}

NearestFeature FeatureTarget::nearest(const uint8_t* descriptor, uint16_t most) {
    const uint32_t count = features_.count();
    if (features_.kind() == LocalKind::kOrb) {
        bit_distances(descriptor, planes_.data(), count, distances_.data());
    } else {
        byte_distances(descriptor, features_.descriptors, count, distances_.data());
    }
    const uint32_t index = index_of_least(distances_.data(), count);
    NearestFeature nearest{index, distances_[index], UINT16_MAX};
    if (nearest.distance <= most)
        nearest.elsewhere =
            least_elsewhere(distances_.data(), {features_.x, features_.y}, count, index, reach_);
    return nearest;
}

}  // namespace lookalike

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

bool FeatureTarget::find_nearest(const uint8_t* descriptor, uint16_t most,
                                 NearestFeature* nearest) {
    const uint32_t count = features_.count();
    nearest->distance =
        features_.kind() == LocalKind::kOrb
            ? bit_distances(descriptor, planes_.data(), count, distances_.data())
            : byte_distances(descriptor, features_.descriptors, count, distances_.data());
    if (nearest->distance > most) return false;
    nearest->index = index_of_distance(distances_.data(), count, nearest->distance);
    nearest->elsewhere = least_elsewhere(distances_.data(), {features_.x, features_.y}, count,
                                         nearest->index, reach_);
    return true;
}

}  // namespace lookalike

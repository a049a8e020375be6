#include "core/local/nearest_features.h"

#include <algorithm>

#include "core/local/byte_distances.h"
#include "core/local/least_distance.h"

namespace lookalike {

FeatureTarget::FeatureTarget(const LocalFeatures& features, uint16_t reach)
    : features_(features),
      reach_(reach),
      distances_(bit_blocks(features.count()) * BitBlock::kFeatures) {
    if (features.kind() != LocalKind::kOrb) return;
    blocks_.resize(bit_blocks(features.count()));
    fill_bit_blocks(features.descriptors, features.count(), blocks_.data());
}

bool FeatureTarget::find_nearest(const uint8_t* descriptor, const Nearness& wanted,
                                 NearestFeature* nearest) {
    const uint32_t count = features_.count();
    nearest->distance =
        features_.kind() == LocalKind::kOrb
            ? bit_distances(descriptor, blocks_.data(), count, distances_.data())
            : byte_distances(descriptor, features_.descriptors, count, distances_.data());
    if (nearest->distance > wanted.most) return false;
    nearest->index = index_of_distance(distances_.data(), count, nearest->distance);
    const uint32_t rival =
        std::min<uint32_t>(nearest->distance * 100u / wanted.percent, UINT16_MAX);
    return !is_any_elsewhere(
        distances_.data(), {features_.x, features_.y}, count,
        {.index = nearest->index, .reach = reach_, .most = static_cast<uint16_t>(rival)});
}

}  // namespace lookalike

#include "core/local/local_features.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

uint32_t longer_side(const LocalFeaturesHeader& header) {
    return std::max(header.width, header.height);
}

const char* header_fault(const LocalFeaturesHeader& header) {
    if (!is_local_kind(static_cast<uint8_t>(header.kind))) return "unknown kind of local features";
    if (header.version < 1 || header.version > local_version(header.kind))
        return "unknown version of local features";
    if (header.mirrored > 1 || header.reserved != 0) return "local features have unknown flags";
    if (header.count > kMaxLocalFeatures) return "too many local features";
    if (header.width < 1 || header.height < 1 || longer_side(header) > kMaxPictureSide)
        return "size of the picture of local features is out of range";
    return nullptr;
}

uint8_t to_step(double steps_below_255) {
    const double step = std::round(255 - steps_below_255);
    return static_cast<uint8_t>(std::clamp(step, 0.0, 255.0));
}

/// Where the columns of a value lie, to be read or to be written.
template <class Columns, class Byte>
void set_columns(Columns& columns, const LocalFeaturesHeader& header, Byte* bytes) {
    const uint32_t count = header.count;
    columns.descriptors = bytes + sizeof(header);
    columns.x = reinterpret_cast<decltype(columns.x)>(columns.descriptors +
                                                      count * local_descriptor_bytes(header.kind));
    columns.y = columns.x + count;
    columns.scales = reinterpret_cast<Byte*>(columns.y + count);
    columns.angles = columns.scales + count;
    columns.strengths = columns.angles + count;
}

}  // namespace

uint32_t end_of_places(const LocalFeaturesHeader& header, uint32_t side) {
    const uint64_t longer = longer_side(header);
    return static_cast<uint32_t>((uint64_t{side} * kPlaceParts + longer - 1) / longer);
}

const char* local_kind_name(LocalKind kind) {
    return kind == LocalKind::kOrb ? "orb" : "sift";
}

const char* local_features_fault(std::span<const uint8_t> bytes) {
    LocalFeaturesHeader header;
    if (bytes.size() < sizeof(header)) return "local features end within their header";
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (const char* fault = header_fault(header)) return fault;
    if (bytes.size() != local_features_bytes(header.kind, header.count))
        return "local features have a wrong length";
    const LocalFeatures features = view_local_features(bytes.data());
    const uint32_t x_end = end_of_places(header, header.width);
    const uint32_t y_end = end_of_places(header, header.height);
    for (uint32_t i = 0; i < header.count; ++i) {
        if (features.x[i] >= x_end || features.y[i] >= y_end)
            return "a local feature lies outside of its picture";
        if (i > 0 && features.strengths[i] > features.strengths[i - 1])
            return "local features are not in the order of their strength";
    }
    return nullptr;
}

LocalFeatures view_local_features(const uint8_t* bytes) {
    LocalFeatures features;
    std::memcpy(&features.header, bytes, sizeof(features.header));
    set_columns(features, features.header, bytes);
    return features;
}

LocalFeaturesParts lay_out_local_features(const LocalFeaturesHeader& header, uint8_t* bytes) {
    std::memcpy(bytes, &header, sizeof(header));
    LocalFeaturesParts parts;
    set_columns(parts, header, bytes);
    return parts;
}

void copy_local_features(const LocalFeatures& from, std::span<const uint32_t> chosen, uint8_t* to) {
    LocalFeaturesHeader header = from.header;
    header.count = static_cast<uint32_t>(chosen.size());
    const LocalFeaturesParts parts = lay_out_local_features(header, to);
    const size_t bytes = local_descriptor_bytes(header.kind);
    for (uint32_t i = 0; i < header.count; ++i) {
        std::memcpy(parts.descriptors + i * bytes, from.descriptor(chosen[i]), bytes);
        parts.put(i, from.place(chosen[i]));
    }
}

uint32_t features_within(const LocalFeatures& features, const PictureBox& box, uint32_t* chosen) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < features.count(); ++i) {
        const PicturePoint point = point_of(features, i);
        if (point.x >= box.left && point.x <= box.right && point.y >= box.top &&
            point.y <= box.bottom)
            chosen[count++] = i;
    }
    return count;
}

PicturePoint point_of(const LocalFeatures& features, uint32_t index) {
    const LocalFeaturesHeader& header = features.header;
    const double unit = static_cast<double>(longer_side(header)) / kPlaceParts;
    const double x = features.x[index] * unit;
    return {header.mirrored != 0 ? header.width - x : x, features.y[index] * unit};
}

double pixels_of_scale(const LocalFeaturesHeader& header, uint8_t scale) {
    return longer_side(header) * std::exp2((scale - 255.0) / kScaleSteps);
}

double degrees_of_angle(uint8_t angle) {
    return angle * (360.0 / kAngleParts);
}

double response_of_strength(uint8_t strength) {
    return std::exp2((strength - 255.0) / kStrengthSteps);
}

uint8_t scale_of(double diameter, double longer_side) {
    if (!(diameter > 0)) return 0;
    return to_step(-static_cast<double>(kScaleSteps) * std::log2(diameter / longer_side));
}

uint8_t angle_of(double degrees) {
    const long part = std::lround(degrees * (kAngleParts / 360.0));
    return static_cast<uint8_t>(part & (kAngleParts - 1));
}

uint8_t strength_of(double response) {
    if (!(response > 0)) return 0;
    return to_step(-static_cast<double>(kStrengthSteps) * std::log2(response));
}

}  // namespace lookalike

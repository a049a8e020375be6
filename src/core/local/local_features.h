// A picture's local features as a value: where they lie, how large and how strong they are, which
// way they point, and a descriptor of each. docs/LOCAL_FEATURES.md says what they are good for.
//
// A value is one piece of bytes: LocalFeaturesHeader, then for `count` features, strongest first,
// all descriptors, all x, all y, all scales, all angles, all strengths. Bytes come from disk, from
// the wire and from the worker: check_local_features() comes before anything else looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// Numbers are never reused.
enum class LocalKind : uint8_t {
    kOrb = 1,   ///< 256 bits, compared by how many differ
    kSift = 2,  ///< 128 bytes, RootSIFT, compared by their squared L2 distance
};

/// How the features of a kind are found. Those of all versions up to now can be compared: their
/// descriptors are the same, other features are chosen.
constexpr uint8_t local_version(LocalKind kind) {
    return kind == LocalKind::kOrb ? 2 : 1;
}

constexpr uint32_t kMaxLocalFeatures = 10000;
constexpr uint32_t kMaxPictureSide = 1u << 30;
/// Places are fractions of the picture's longer side, in units of this many parts.
constexpr uint32_t kPlaceParts = 65536;
/// Angles are clockwise, as y goes down, from the right, in so many parts of a turn.
constexpr uint32_t kAngleParts = 256;
/// Steps of a scale in which a feature's diameter doubles; 255 is the longer side itself.
constexpr uint32_t kScaleSteps = 16;
/// Steps of a strength in which a detector's response doubles; 255 is 1.
constexpr uint32_t kStrengthSteps = 8;

struct LocalFeaturesHeader {
    LocalKind kind;
    uint8_t version;   ///< 1 to local_version()
    uint8_t mirrored;  ///< 1: of the picture seen in a mirror, places as well
    uint8_t reserved;  ///< 0
    uint32_t count;
    uint32_t width;  ///< of the picture, upright, in pixels; at least 1
    uint32_t height;
};
static_assert(sizeof(LocalFeaturesHeader) == 16);

/// What a feature has beside its descriptor.
struct LocalPlace {
    uint16_t x;  ///< of kPlaceParts of the longer side
    uint16_t y;
    uint8_t scale;
    uint8_t angle;
    uint8_t strength;
};
constexpr size_t kPlaceBytes = 7;

/// A checked value. Owns nothing.
struct LocalFeatures {
    LocalFeaturesHeader header;
    const uint8_t* descriptors;
    const uint16_t* x;
    const uint16_t* y;
    const uint8_t* scales;
    const uint8_t* angles;
    const uint8_t* strengths;

    uint32_t count() const { return header.count; }
    LocalKind kind() const { return header.kind; }
    const uint8_t* descriptor(uint32_t index) const;
    LocalPlace place(uint32_t index) const {
        return {x[index], y[index], scales[index], angles[index], strengths[index]};
    }
};

/// Called every few milliseconds; throws where the work is to end. Null: it is not.
using CheckForEnd = void (*)();

constexpr bool is_local_kind(unsigned kind) {
    return kind == 1 || kind == 2;
}
constexpr size_t local_descriptor_bytes(LocalKind kind) {
    return kind == LocalKind::kOrb ? 32 : 128;
}
constexpr size_t local_feature_bytes(LocalKind kind) {
    return local_descriptor_bytes(kind) + kPlaceBytes;
}
constexpr size_t local_features_bytes(LocalKind kind, uint32_t count) {
    return sizeof(LocalFeaturesHeader) + count * local_feature_bytes(kind);
}
const char* local_kind_name(LocalKind kind);

inline const uint8_t* LocalFeatures::descriptor(uint32_t index) const {
    return descriptors + index * local_descriptor_bytes(header.kind);
}

/// Places along a side of so many pixels, the width or the height, are less than this.
uint32_t end_of_places(const LocalFeaturesHeader& header, uint32_t side);

/// Why bytes are no local features; a primary message in PostgreSQL's style, null when they are.
const char* local_features_fault(std::span<const uint8_t> bytes);

/// REQUIRES: local_features_fault() found none; the bytes start at a multiple of 4.
LocalFeatures view_local_features(const uint8_t* bytes);

/// Where in `bytes` the parts of a value with this header go. For who writes one.
struct LocalFeaturesParts {
    uint8_t* descriptors;
    uint16_t* x;
    uint16_t* y;
    uint8_t* scales;
    uint8_t* angles;
    uint8_t* strengths;

    void put(uint32_t index, const LocalPlace& place) const {
        x[index] = place.x;
        y[index] = place.y;
        scales[index] = place.scale;
        angles[index] = place.angle;
        strengths[index] = place.strength;
    }
};

/// Writes the header too. REQUIRES: room for local_features_bytes(), at a multiple of 4.
LocalFeaturesParts lay_out_local_features(const LocalFeaturesHeader& header, uint8_t* bytes);

/// Copies the features that `chosen` numbers, in that order. REQUIRES: room for
/// local_features_bytes(kind, count of chosen), at a multiple of 4.
void copy_local_features(const LocalFeatures& from, std::span<const uint32_t> chosen, uint8_t* to);

/// A rectangle in pixels of the upright picture.
struct PictureBox {
    double left, top, right, bottom;
};

/// Writes which features lie within `box`, borders included, strongest first; returns how many.
/// REQUIRES: room for all.
uint32_t features_within(const LocalFeatures& features, const PictureBox& box, uint32_t* chosen);

// Units that people know.
/// Of the picture as it is, also where features were found in a mirror.
struct PicturePoint {
    double x, y;  ///< pixels
};
PicturePoint point_of(const LocalFeatures& features, uint32_t index);
double pixels_of_scale(const LocalFeaturesHeader& header, uint8_t scale);
double degrees_of_angle(uint8_t angle);
double response_of_strength(uint8_t strength);

uint8_t scale_of(double diameter, double longer_side);
uint8_t angle_of(double degrees);
uint8_t strength_of(double response);

}  // namespace lookalike

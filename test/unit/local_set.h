// Sets of local features that tests make.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <random>
#include <vector>

#include "core/local/local_features.h"

namespace lookalike {

using Bytes = std::vector<uint8_t>;

struct LocalSample {
    LocalPlace place;
    Bytes descriptor;
};

/// A value of exactly as many bytes as it needs. The header's count is that of the samples.
inline Bytes local_value(LocalFeaturesHeader header, const std::vector<LocalSample>& samples) {
    header.count = static_cast<uint32_t>(samples.size());
    Bytes bytes(local_features_bytes(header.kind, header.count));
    const LocalFeaturesParts parts = lay_out_local_features(header, bytes.data());
    const size_t descriptor_bytes = local_descriptor_bytes(header.kind);
    for (uint32_t i = 0; i < header.count; ++i) {
        std::memcpy(parts.descriptors + i * descriptor_bytes, samples[i].descriptor.data(),
                    descriptor_bytes);
        parts.put(i, samples[i].place);
    }
    return bytes;
}

inline LocalFeaturesHeader local_header(LocalKind kind, uint32_t width, uint32_t height,
                                        bool mirrored = false) {
    return {.kind = kind,
            .version = 1,
            .mirrored = mirrored,
            .reserved = 0,
            .count = 0,
            .width = width,
            .height = height};
}

inline Bytes random_bytes(size_t count, std::mt19937& random) {
    Bytes bytes(count);
    for (uint8_t& byte : bytes)
        byte = static_cast<uint8_t>(random() >> 8);
    return bytes;
}

/// Features with places from `first` to `last` in x and y, the strongest first.
inline std::vector<LocalSample> random_samples(LocalKind kind, uint32_t count, uint32_t first,
                                               uint32_t last, std::mt19937& random) {
    std::vector<LocalSample> samples(count);
    const auto place = [&] { return static_cast<uint16_t>(first + random() % (last - first + 1)); };
    for (uint32_t i = 0; i < count; ++i) {
        samples[i].place = {.x = place(),
                            .y = place(),
                            .scale = static_cast<uint8_t>(150 + random() % 40),
                            .angle = static_cast<uint8_t>(random()),
                            .strength = static_cast<uint8_t>(255 - 255 * i / count)};
        samples[i].descriptor = random_bytes(local_descriptor_bytes(kind), random);
    }
    return samples;
}

/// What a picture's change does to its features, in the units in which they are stored.
struct Change {
    int scale_steps;  ///< larger by so many of kScaleSteps
    uint8_t turn;     ///< of kAngleParts
    double x, y;      ///< then shifted
};

/// Turned and scaled about the upper left corner, then shifted. REQUIRES: all places stay inside.
inline std::vector<LocalSample> changed_samples(std::vector<LocalSample> samples,
                                                const Change& change) {
    const double growth = std::exp2(change.scale_steps / double{kScaleSteps});
    const double turn = change.turn * 2 * std::numbers::pi / kAngleParts;
    const double a = growth * std::cos(turn), b = growth * std::sin(turn);
    for (LocalSample& sample : samples) {
        const double x = sample.place.x, y = sample.place.y;
        sample.place.x = static_cast<uint16_t>(std::lround(a * x - b * y + change.x));
        sample.place.y = static_cast<uint16_t>(std::lround(b * x + a * y + change.y));
        sample.place.scale = static_cast<uint8_t>(sample.place.scale + change.scale_steps);
        sample.place.angle = static_cast<uint8_t>(sample.place.angle + change.turn);
    }
    return samples;
}

}  // namespace lookalike

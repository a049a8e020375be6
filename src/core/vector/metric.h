// The metrics that an index can order by, and the key that stands for a distance inside a scan.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace lookalike {

/// The numbers are stored in index pages: never reuse one.
enum class Metric : uint8_t {
    kL2 = 0,
    kInnerProduct = 1,
    kCosine = 2,
    kHamming = 3,
    kJaccard = 4,
};

constexpr uint32_t kMetricCount = 5;

constexpr bool is_binary(Metric metric) {
    return metric == Metric::kHamming || metric == Metric::kJaccard;
}

/// A scan orders by a key, a float that rises and falls with the distance which SQL shows:
///   L2             squared distance
///   inner product  negative inner product, which is the distance
///   cosine         squared distance of the normalised vectors, twice the cosine distance
///   Hamming        number of different bits, which is the distance
///   Jaccard        the distance, rounded down
/// Keys below the least possible value mean that value.
inline double key_to_distance(Metric metric, double key) {
    if (metric == Metric::kInnerProduct) return key;
    key = std::max(key, 0.0);
    if (metric == Metric::kL2) return std::sqrt(key);
    return metric == Metric::kCosine ? key / 2 : key;
}

/// The key of a distance, in double.
inline double distance_to_key(Metric metric, double distance) {
    if (metric == Metric::kL2) return distance * distance;
    return metric == Metric::kCosine ? 2 * distance : distance;
}

/// The greatest float that is not above `value`; so a bound stays a bound.
inline float round_down(double value) {
    const float nearest = static_cast<float>(value);
    if (static_cast<double>(nearest) <= value) return nearest;
    return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

/// The least float that is not below `value`.
inline float round_up(double value) {
    return -round_down(-value);
}

}  // namespace lookalike

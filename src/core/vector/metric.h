// The metrics that an index can order by, and the key that stands for a distance inside a scan.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

namespace lookalike {

/// The metrics, a row each. Its place is the number that index pages have: a new row comes last,
/// and none is ever taken out.
///
/// `name` is the one in descriptor_NAME_ops, in_NAME_sphere() and faiss_NAME_metric(); after it
/// come SQL's functions and SQL's operator between a descriptor and a sphere. `bits`: it compares
/// bit descriptors and no others. `direction`: nothing else counts, so length 0 has no distance.
// clang-format off
//      enumerator     name     within()        distance                sphere  bits   direction
#define LOOKALIKE_METRICS(ROW)                                                                     \
    ROW(kL2,           l2,      within,         l2_distance,            "<@->", false, false)      \
    ROW(kInnerProduct, ip,      within_ip,      negative_inner_product, "<@#>", false, false)      \
    ROW(kCosine,       cosine,  within_cosine,  cosine_distance,        "<@=>", false, true)       \
    ROW(kHamming,      hamming, within_hamming, hamming_distance,       "<@~>", true,  false)      \
    ROW(kJaccard,      jaccard, within_jaccard, jaccard_distance,       "<@%>", true,  false)
// clang-format on

enum class Metric : uint8_t {
#define ENUMERATOR(enumerator, ...) enumerator,
    LOOKALIKE_METRICS(ENUMERATOR)
#undef ENUMERATOR
};

struct MetricTraits {
    const char* name;
    const char* within;
    const char* distance;
    const char* sphere_operator;  ///< between a descriptor and a sphere
    bool is_binary;
    bool needs_direction;
};

inline constexpr MetricTraits kMetricTraits[] = {
#define TRAITS(enumerator, name, within, distance, sphere, bits, direction) \
    {#name, #within, #distance, sphere, bits, direction},
    LOOKALIKE_METRICS(TRAITS)
#undef TRAITS
};

constexpr uint32_t kMetricCount = std::size(kMetricTraits);

/// REQUIRES: a metric of the enumeration, which what comes from disk need not be.
constexpr const MetricTraits& traits_of(Metric metric) {
    return kMetricTraits[static_cast<size_t>(metric)];
}

constexpr bool is_binary(Metric metric) {
    return traits_of(metric).is_binary;
}

/// Rows without a direction have no place among the others.
constexpr bool needs_direction(Metric metric) {
    return traits_of(metric).needs_direction;
}

/// What keys are multiplied with so that those of different queries compare: an inner product grows
/// with the length of the query, other keys do not.
inline float key_scale(Metric metric, double query_length) {
    if (metric != Metric::kInnerProduct || !(query_length > 0)) return 1;
    return static_cast<float>(1 / query_length);
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

#include "core/code/refine_code.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/no_postgres.h"
#include "core/vector/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/code/refine_code.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = HWY_CAPPED(float, 16);
using Vector = hn::Vec<Floats>;

struct Int8Elements {
    static constexpr size_t kBytes = 1;
    static HWY_INLINE Vector load(const uint8_t* from) {
        const hn::RebindToSigned<Floats> integers;
        const hn::Rebind<int8_t, Floats> bytes;
        const auto loaded = hn::LoadU(bytes, reinterpret_cast<const int8_t*>(from));
        return hn::ConvertTo(Floats(), hn::PromoteTo(integers, loaded));
    }
};

/// A copy on the stack: elements of several bytes may lie anywhere in a page.
template <class T>
HWY_INLINE hn::Vec<hn::Rebind<T, Floats>> load_unaligned(const uint8_t* from) {
    const hn::Rebind<T, Floats> lanes;
    HWY_ALIGN T aligned[hn::MaxLanes(lanes)];
    std::memcpy(aligned, from, hn::Lanes(lanes) * sizeof(T));
    return hn::Load(lanes, aligned);
}

struct HalfElements {
    static constexpr size_t kBytes = 2;
    static HWY_INLINE Vector load(const uint8_t* from) {
        return hn::PromoteTo(Floats(), load_unaligned<hwy::float16_t>(from));
    }
};

struct FloatElements {
    static constexpr size_t kBytes = 4;
    static HWY_INLINE Vector load(const uint8_t* from) { return load_unaligned<float>(from); }
};

struct SquaredDifference {
    static HWY_INLINE Vector add(Vector query, Vector scale, Vector element, Vector sum) {
        const auto difference = hn::NegMulAdd(scale, element, query);
        return hn::MulAdd(difference, difference, sum);
    }
};

struct Product {
    static HWY_INLINE Vector add(Vector query, Vector /*scale*/, Vector element, Vector sum) {
        return hn::MulAdd(query, element, sum);
    }
};

/// Four sums side by side hide the latency of an addition. REQUIRES: count a multiple of 16.
template <class Term, class Elements>
HWY_INLINE float sum_terms(const float* query, const uint8_t* elements, float scale, size_t count) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    const auto factor = hn::Set(floats, scale);
    Vector sums[4] = {hn::Zero(floats), hn::Zero(floats), hn::Zero(floats), hn::Zero(floats)};
    size_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes)
        for (size_t part = 0; part < 4; ++part) {
            const size_t at = i + part * lanes;
            sums[part] = Term::add(hn::LoadU(floats, query + at), factor,
                                   Elements::load(elements + at * Elements::kBytes), sums[part]);
        }
    for (; i < count; i += lanes)
        sums[0] = Term::add(hn::LoadU(floats, query + i), factor,
                            Elements::load(elements + i * Elements::kBytes), sums[0]);
    const auto sum = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return hn::GetLane(hn::SumOfLanes(floats, sum));
}

template <class Term>
HWY_INLINE float sum_elements(Refine refine, const float* query, const uint8_t* elements,
                              float scale, size_t count) {
    if (refine == Refine::kInt8)
        return sum_terms<Term, Int8Elements>(query, elements, scale, count);
    if (refine == Refine::kHalf)
        return sum_terms<Term, HalfElements>(query, elements, scale, count);
    return sum_terms<Term, FloatElements>(query, elements, scale, count);
}

/// Sum of (query - scale * element)^2.
float squared_difference(Refine refine, const float* query, const uint8_t* elements, float scale,
                         size_t count) {
    return sum_elements<SquaredDifference>(refine, query, elements, scale, count);
}

/// Sum of query * element.
float product(Refine refine, const float* query, const uint8_t* elements, float scale,
              size_t count) {
    return sum_elements<Product>(refine, query, elements, scale, count);
}

/// Writes scale * elements, and tells whether none is longer than `longest`: false for NaN.
template <class Elements>
HWY_INLINE bool scale_elements(const uint8_t* elements, float scale, size_t count, float longest,
                               float* out) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    const auto factor = hn::Set(floats, scale);
    const auto most = hn::Set(floats, longest);
    auto sound = hn::FirstN(floats, lanes);
    for (size_t i = 0; i < count; i += lanes) {
        const auto element = hn::Mul(factor, Elements::load(elements + i * Elements::kBytes));
        sound = hn::And(sound, hn::Le(hn::Abs(element), most));
        hn::StoreU(element, floats, out + i);
    }
    return hn::AllTrue(floats, sound);
}

bool decode_elements(Refine refine, const uint8_t* elements, float scale, size_t count,
                     float longest, float* out) {
    if (refine == Refine::kInt8)
        return scale_elements<Int8Elements>(elements, scale, count, longest, out);
    if (refine == Refine::kHalf)
        return scale_elements<HalfElements>(elements, scale, count, longest, out);
    return scale_elements<FloatElements>(elements, scale, count, longest, out);
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(squared_difference);
HWY_EXPORT(product);
HWY_EXPORT(decode_elements);

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Half a unit in the last place of a float, and of a double with room to spare.
constexpr double kFloatRounding = 0x1p-24;
// More than a rotation of 16,384 dimensions may lose, and no distance that anybody looks at.
constexpr double kPointRadius = 0x1p-17;
constexpr double kDoubleRounding = 0x1p-45;

// What a float operation may lose below the normal range.
constexpr double kDenormalLoss = 0x1p-148;

// The SQL functions sum in float: their error is at most this for each dimension
// (core/vector/distance.h).
constexpr double kSqlErrorPerDim = 0x1p-22;

constexpr float kLargestInt8 = 127;

// No vector in index space is longer (core/code/index_space.cpp), give or take its rounding.
constexpr float kLongestElement = 2e17f;

/// Sums of a quantised vector against what it stands for. Exact products, summed in double.
struct Loss {
    double lost_squared = 0;  ///< |vector - scale * elements|^2
    double kept_squared = 0;  ///< |scale * elements|^2
    void add(float wanted, double stored) {
        const double lost = wanted - stored;
        lost_squared += lost * lost;
        kept_squared += stored * stored;
    }
};

Loss encode_int8(const float* vector, uint32_t dims, float scale, uint8_t* elements) {
    const double inverse = scale > 0 ? 1 / static_cast<double>(scale) : 0;
    Loss parts[4];
    for (uint32_t i = 0; i < dims; ++i) {
        const double units = vector[i] * inverse;
        const int element = static_cast<int>(units + (units < 0 ? -0.5 : 0.5));
        elements[i] = static_cast<uint8_t>(static_cast<int8_t>(element));
        parts[i % 4].add(vector[i], static_cast<double>(scale) * element);
    }
    for (int i = 1; i < 4; ++i) {
        parts[0].lost_squared += parts[i].lost_squared;
        parts[0].kept_squared += parts[i].kept_squared;
    }
    return parts[0];
}

Loss encode_half(const float* vector, uint32_t dims, float scale, uint8_t* elements) {
    const double inverse = scale > 0 ? 1 / static_cast<double>(scale) : 0;
    Loss loss;
    for (uint32_t i = 0; i < dims; ++i) {
        const uint16_t element = half_from_double(vector[i] * inverse);
        std::memcpy(elements + 2 * i, &element, sizeof element);
        loss.add(vector[i], static_cast<double>(scale) * half_to_float(element));
    }
    return loss;
}

Loss encode_float(const float* vector, uint32_t dims, uint8_t* elements) {
    std::memcpy(elements, vector, dims * sizeof(float));
    return {.lost_squared = 0, .kept_squared = exact_dot(vector, vector, dims)};
}

double squared(double value) {
    return value * value;
}

// Of some elements, and of what depends on every one of them in its own way: the sum, the error and
// the norm. Much faster than a hash of the slot.
uint32_t fingerprint_of(const RefineHeader& header, double sum, const uint8_t* elements,
                        size_t element_bytes) {
    if (!std::isfinite(sum) || !std::isfinite(header.error) || !std::isfinite(header.norm))
        return 0;
    uint64_t first;
    uint64_t last;
    std::memcpy(&first, elements, sizeof first);
    std::memcpy(&last, elements + element_bytes - sizeof last, sizeof last);
    const uint64_t lengths = uint64_t{std::bit_cast<uint32_t>(header.error)} << 32 |
                             std::bit_cast<uint32_t>(header.norm);
    // Odd factors, so that no bit is lost.
    const uint64_t mixed = std::bit_cast<uint64_t>(sum) + lengths * 0x9e3779b97f4a7c15u +
                           first * 0xbf58476d1ce4e5b9u + last * 0x94d049bb133111ebu;
    return static_cast<uint32_t>(mixed >> 32) | 1;
}

}  // namespace

void encode_refine(Refine refine, const float* vector, uint32_t padded_dims, double rounding,
                   uint8_t* slot) {
    float largest = 0;
    for (uint32_t i = 0; i < padded_dims; ++i)
        largest = std::max(largest, std::fabs(vector[i]));
    uint8_t* const elements = slot + sizeof(RefineHeader);
    RefineHeader header{.scale = 1, .error = 0, .norm = 0};
    Loss loss;
    if (refine == Refine::kInt8) {
        header.scale = round_up(largest / double{kLargestInt8});
        loss = encode_int8(vector, padded_dims, header.scale, elements);
    } else if (refine == Refine::kHalf) {
        header.scale = largest;
        loss = encode_half(vector, padded_dims, header.scale, elements);
    } else {
        loss = encode_float(vector, padded_dims, elements);
    }
    header.error = round_up((std::sqrt(loss.lost_squared) + rounding) * (1 + kDoubleRounding));
    header.norm = round_up(std::sqrt(loss.kept_squared) * (1 + kDoubleRounding));
    std::memcpy(slot, &header, sizeof header);
}

bool decode_refine(Refine refine, const uint8_t* slot, uint32_t padded_dims, float* out) {
    RefineHeader header;
    std::memcpy(&header, slot, sizeof header);
    return HWY_DYNAMIC_DISPATCH(decode_elements)(refine, slot + sizeof header, header.scale,
                                                 padded_dims, kLongestElement, out) &&
           std::isfinite(header.error);
}

RefineQuery::RefineQuery(const SpaceQuery& query)
    : query_(query),
      vector_(query.metric == Metric::kInnerProduct ? query.raw.get() : query.vector.get()),
      rounding_(query.metric == Metric::kInnerProduct ? query.raw_rounding : query.rounding),
      vector_norm_(std::sqrt(exact_dot(vector_, vector_, query.padded_dims))),
      // One rounding for each addition of the longest chain, and a few around it.
      sum_error_((query.padded_dims + 4) * kFloatRounding),
      distance_error_(query.dims * kSqlErrorPerDim) {}

RefineBound RefineQuery::lower_bound(Refine refine, const uint8_t* slot) const {
    RefineHeader header;
    std::memcpy(&header, slot, sizeof header);
    const double sum = element_sum(refine, header.scale, slot + sizeof(RefineHeader));
    RefineBound bound = finish(header, sum);
    bound.fingerprint = fingerprint_of(header, sum, slot + sizeof(RefineHeader),
                                       query_.padded_dims * refine_element_bytes(refine));
    return bound;
}

double RefineQuery::element_sum(Refine refine, float scale, const uint8_t* elements) const {
    const size_t count = query_.padded_dims;
    if (query_.metric == Metric::kInnerProduct)
        return HWY_DYNAMIC_DISPATCH(product)(refine, vector_, elements, scale, count);
    return HWY_DYNAMIC_DISPATCH(squared_difference)(refine, vector_, elements, scale, count);
}

RefineBound RefineQuery::finish(const RefineHeader& header, double sum) const {
    if (query_.metric == Metric::kInnerProduct) {
        // <o, q> = <m, q> + <u, P q>, and u lies within `error` of scale * elements.
        const double query_norm = query_.raw_norm * (1 + kDoubleRounding);
        const double object_norm = query_.mean_norm + header.norm + header.error;
        const double margin = sum_error_ * header.norm * vector_norm_ + rounding_ * header.norm +
                              header.error * query_norm +
                              (distance_error_ + kDoubleRounding) * query_norm * object_norm +
                              header.scale * query_.padded_dims * kDenormalLoss;
        const double distance = -query_.mean_product - header.scale * sum - margin;
        if (!std::isfinite(distance)) return lowest();
        return {.distance = distance, .key = round_down(distance)};
    }
    // |q - o| >= |q - ohat| - |ohat - o|, the first from the sum, less what float lost in it.
    const double trusted = sum * (1 - sum_error_) - query_.padded_dims * kDenormalLoss;
    const double reach = std::sqrt(std::max(0.0, trusted)) * (1 - 2 * kFloatRounding) -
                         2 * kFloatRounding * header.norm - header.error - rounding_;
    // Not finite, NaN included, where a vector was too long for float arithmetic.
    if (!(reach > 0) || reach == kInfinity) return lowest();
    if (query_.metric == Metric::kL2) {
        const double distance = reach * (1 - distance_error_) * (1 - kDoubleRounding);
        return {.distance = distance, .key = round_down(squared(distance))};
    }
    const double distance = std::max(0.0, squared(reach) / 2 - distance_error_ - kDoubleRounding);
    return {.distance = distance, .key = round_down(2 * distance)};
}

RefineBound RefineQuery::around(float key, float radius) const {
    if (query_.metric == Metric::kInnerProduct) return lowest();
    // No farther from the origin than the query and the way from there.
    const double norm = std::sqrt(std::max(0.0f, key)) + vector_norm_;
    return finish({.scale = 1, .error = radius, .norm = round_up(norm)}, key);
}

bool RefineQuery::is_point(float key, float radius) const {
    // Rounding is relative to how far the point is from the origin. The inner product does not tell
    // more about that than the query does.
    double norm = vector_norm_;
    if (query_.metric != Metric::kInnerProduct) norm += std::sqrt(std::max(0.0f, key));
    return radius <= kPointRadius * norm + 4 * rounding_;
}

RefineBound RefineQuery::lowest() const {
    if (query_.metric == Metric::kInnerProduct)
        return {.distance = -kInfinity, .key = -std::numeric_limits<float>::infinity()};
    return {.distance = 0, .key = 0};
}

}  // namespace lookalike
#endif  // HWY_ONCE

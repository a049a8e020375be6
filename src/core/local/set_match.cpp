#include "core/local/set_match.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "core/local/nearest_features.h"
#include "core/local/verification.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

/// When two features are alike.
struct Likeness {
    Nearness nearness;
    double unit;      ///< the weight falls as exp(-(distance / unit)^2)
    bool is_squared;  ///< the distance is a square already
};
constexpr Likeness kBits{.nearness = {.most = 64, .percent = 80}, .unit = 40, .is_squared = false};
constexpr Likeness kBytes{
    .nearness = {.most = 16000, .percent = 72}, .unit = 6000, .is_squared = true};

/// Places of features that show the same thing: at several scales, say.
constexpr uint16_t kSamePlace = kPlaceParts / 40;
/// An inlier's weight falls as exp(-(error / unit)^2).
constexpr double kErrorUnit = 4.0 / 640 * kPlaceParts;
constexpr uint32_t kCells = 24;
constexpr uint32_t kLeastCells = 3;
/// A match of this weight has distance 1/2.
constexpr double kHalfWeight = 8;
constexpr double kMostFalling = 16;
/// With 10,000 features in the other set they take some milliseconds.
constexpr uint32_t kFeaturesPerCheck = 64;

/// exp(-x) for x from 0 to kMostFalling, by its series: libm's last digits differ from machine to
/// machine.
double falling(double x) {
    constexpr int kHalvings = 7;
    const double part = x / (1 << kHalvings);
    double power = 1;
    for (int i = 10; i >= 1; --i)
        power = 1 + part / i * power;
    for (int i = 0; i < kHalvings; ++i)
        power *= power;
    return 1 / power;
}

double weight_of(const Likeness& likeness, uint16_t distance) {
    const double x = distance / likeness.unit;
    return falling(likeness.is_squared ? x : x * x);
}

std::vector<Correspondence> find_correspondences(const LocalFeatures& from, const LocalFeatures& to,
                                                 CheckForEnd check) {
    const Likeness& likeness = from.kind() == LocalKind::kOrb ? kBits : kBytes;
    std::vector<Correspondence> pairs;
    FeatureTarget target(to, kSamePlace);
    for (uint32_t i = 0; i < from.count(); ++i) {
        if (check != nullptr && i % kFeaturesPerCheck == 0) check();
        NearestFeature nearest;
        if (!target.find_nearest(from.descriptor(i), likeness.nearness, &nearest)) continue;
        const LocalPlace a = from.place(i), b = to.place(nearest.index);
        pairs.push_back({.from_x = static_cast<double>(a.x),
                         .from_y = static_cast<double>(a.y),
                         .to_x = static_cast<double>(b.x),
                         .to_y = static_cast<double>(b.y),
                         .scale_steps = b.scale - a.scale,
                         .turn = static_cast<uint8_t>(b.angle - a.angle),
                         .weight = weight_of(likeness, nearest.distance),
                         .from = i,
                         .to = nearest.index});
    }
    std::ranges::stable_sort(pairs, std::greater{}, &Correspondence::weight);
    return pairs;
}

/// Squares of a picture; remembers where an inlier has been counted.
class Cells {
  public:
    explicit Cells(double side) : side_(side) {}

    bool is_counted(double x, double y) const { return counted_.contains(cell_of(x, y)); }
    void count(double x, double y) { counted_.insert(cell_of(x, y)); }

  private:
    using Cell = std::pair<int64_t, int64_t>;
    Cell cell_of(double x, double y) const {
        return {static_cast<int64_t>(x / side_), static_cast<int64_t>(y / side_)};
    }
    double side_;
    std::set<Cell> counted_;
};

/// What the inliers are worth. Of those in one cell of either picture the heaviest counts, so that
/// a hundred in one corner are not a find. Cells are parts of that picture that is the smaller
/// thing of the two.
double weight_of_inliers(std::span<const Correspondence> pairs, const Verified& verified) {
    const double growth = growth_of(verified.movement);
    if (!(growth > 0)) return 0;
    const double tolerance = kErrorUnit * tolerance_of(growth);
    constexpr double kCellSide = static_cast<double>(kPlaceParts) / kCells;
    Cells from(kCellSide / std::max(growth, 1.0)), to(kCellSide * std::min(growth, 1.0));
    double weight = 0;
    uint32_t cells = 0;
    for (const uint32_t i : verified.inliers) {
        const Correspondence& pair = pairs[i];
        if (from.is_counted(pair.from_x, pair.from_y) || to.is_counted(pair.to_x, pair.to_y))
            continue;
        from.count(pair.from_x, pair.from_y);
        to.count(pair.to_x, pair.to_y);
        ++cells;
        const double errors = squared_error(verified.movement, pair) / (tolerance * tolerance);
        if (errors < kMostFalling) weight += pair.weight * falling(errors);
    }
    return cells >= kLeastCells ? weight : 0;
}

/// Which of two sets is looked for in the other: any rule will do that does not depend on which is
/// named first.
bool is_looked_for(const LocalFeatures& a, const LocalFeatures& b) {
    if (a.count() != b.count()) return a.count() < b.count();
    const size_t bytes = local_features_bytes(a.kind(), a.count()) - sizeof(LocalFeaturesHeader);
    return std::memcmp(a.descriptors, b.descriptors, bytes) <= 0;
}

/// The two-dimensional movements that are a matrix and a shift, row by row.
struct Movement {
    double xx, xy, x0, yx, yy, y0;

    /// First `inner`, then this.
    Movement after(const Movement& inner) const {
        return {xx * inner.xx + xy * inner.yx,      xx * inner.xy + xy * inner.yy,
                xx * inner.x0 + xy * inner.y0 + x0, yx * inner.xx + yy * inner.yx,
                yx * inner.xy + yy * inner.yy,      yx * inner.x0 + yy * inner.y0 + y0};
    }
    Movement inverse() const {
        const double area = xx * yy - xy * yx;
        const Movement turned{yy / area, -xy / area, 0, -yx / area, xx / area, 0};
        return {turned.xx, turned.xy, -(turned.xx * x0 + turned.xy * y0),
                turned.yx, turned.yy, -(turned.yx * x0 + turned.yy * y0)};
    }
};

/// From places to pixels of the picture as it is, not as a mirror shows it.
Movement to_pixels(const LocalFeaturesHeader& header) {
    const double unit = static_cast<double>(std::max(header.width, header.height)) / kPlaceParts;
    if (header.mirrored != 0) return {-unit, 0, static_cast<double>(header.width), 0, unit, 0};
    return {unit, 0, 0, 0, unit, 0};
}

/// What is known of two sets when one has been looked for in the other.
struct Comparison {
    bool a_in_b;
    std::vector<Correspondence> pairs;
    Verified verified;
};

Comparison compare(const LocalFeatures& a, const LocalFeatures& b, CheckForEnd check) {
    Comparison result{.a_in_b = is_looked_for(a, b), .pairs = {}, .verified = {}};
    if (a.count() == 0 || b.count() == 0) return result;
    result.pairs =
        result.a_in_b ? find_correspondences(a, b, check) : find_correspondences(b, a, check);
    result.verified = verify(result.pairs);
    return result;
}

void add_inliers(const Comparison& compared, std::vector<MatchedPair>* pairs) {
    for (const uint32_t i : compared.verified.inliers) {
        const Correspondence& pair = compared.pairs[i];
        pairs->push_back(compared.a_in_b ? MatchedPair{pair.from, pair.to}
                                         : MatchedPair{pair.to, pair.from});
    }
}

/// From the pixels of the picture that was looked for to those of the one where it was found.
Movement in_pixels(const Similarity& found, const LocalFeaturesHeader& from,
                   const LocalFeaturesHeader& to) {
    const Movement places{found.a, -found.b, found.x0, found.b, found.a, found.y0};
    return to_pixels(to).after(places.after(to_pixels(from).inverse()));
}

}  // namespace

double SetMatch::distance() const {
    return 1 / (1 + weight / kHalfWeight);
}

SetMatch match_sets(const LocalFeatures& a, const LocalFeatures& b, CheckForEnd check,
                    std::vector<MatchedPair>* pairs) {
    const Comparison compared = compare(a, b, check);
    if (pairs != nullptr) add_inliers(compared, pairs);
    const Similarity& found = compared.verified.movement;
    SetMatch match{};
    match.is_mirrored = a.header.mirrored != b.header.mirrored;
    match.matches = static_cast<uint32_t>(compared.pairs.size());
    match.inliers = static_cast<uint32_t>(compared.verified.inliers.size());
    match.weight = weight_of_inliers(compared.pairs, compared.verified);
    match.has_movement = match.weight > 0;
    if (!match.has_movement) return match;
    const Movement b_to_a = compared.a_in_b ? in_pixels(found, a.header, b.header).inverse()
                                            : in_pixels(found, b.header, a.header);
    const double movement[] = {b_to_a.xx, b_to_a.xy, b_to_a.x0, b_to_a.yx, b_to_a.yy, b_to_a.y0};
    std::ranges::copy(movement, match.movement);
    return match;
}

}  // namespace lookalike

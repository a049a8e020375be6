#include "core/local/verification.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/local/local_features.h"

namespace lookalike {
namespace {

/// As many of the heaviest propose a movement.
constexpr size_t kMaxProposals = 40;
/// What a detector errs by: places in kPlaceParts, and places by a part of the distance to the
/// feature that proposes, because its scale and its angle are rough.
constexpr double kPlaceError = 8.0 / 640 * kPlaceParts;
constexpr double kDistanceError = 0.15;
constexpr double kLeastTolerance = 0.4;
constexpr double kMostDrift = 2;
constexpr int kScaleError = 13;  // 0.8 octaves
constexpr int kTurnError = 18;   // 25 degrees
constexpr int kLeastSquaresRounds = 3;
constexpr double kFittedError = 10.0 / 640 * kPlaceParts;  // of a fitted movement

/// cos and sin of each of kAngleParts, by the addition theorem: libm's last digits differ from
/// machine to machine.
struct Turn {
    double cosine, sine;
};
constexpr double root_of(double square) {
    double root = 1;
    for (int i = 0; i < 32; ++i)
        root = (root + square / root) / 2;
    return root;
}
constexpr std::array<Turn, kAngleParts> make_turns() {
    // The smallest turn by halving a quarter six times.
    Turn step{0, 1};
    for (uint32_t parts = 4; parts < kAngleParts; parts *= 2) {
        const double cosine = root_of((1 + step.cosine) / 2);
        step = {cosine, step.sine / (2 * cosine)};
    }
    std::array<Turn, kAngleParts> turns{};
    turns[0] = {1, 0};
    for (uint32_t i = 1; i < kAngleParts; ++i) {
        const Turn& last = turns[i - 1];
        turns[i] = {last.cosine * step.cosine - last.sine * step.sine,
                    last.sine * step.cosine + last.cosine * step.sine};
    }
    return turns;
}
constexpr auto kTurns = make_turns();

/// 2 to the power of steps / kScaleSteps.
constexpr std::array<double, 256> make_growths() {
    std::array<double, 256> growths{};
    double step = 2;
    for (uint32_t steps = kScaleSteps; steps > 1; steps /= 2)
        step = root_of(step);
    growths[0] = 1;
    for (size_t i = 1; i < growths.size(); ++i)
        growths[i] = i % kScaleSteps == 0 ? growths[i - kScaleSteps] * 2 : growths[i - 1] * step;
    return growths;
}
constexpr auto kGrowths = make_growths();

double growth_of_steps(int steps) {
    return steps >= 0 ? kGrowths[steps] : 1 / kGrowths[-steps];
}

int turn_between(uint8_t a, uint8_t b) {
    return std::abs(static_cast<int8_t>(a - b));
}

Similarity proposal_of(const Correspondence& pair) {
    const double growth = growth_of_steps(pair.scale_steps);
    Similarity movement{growth * kTurns[pair.turn].cosine, growth * kTurns[pair.turn].sine, 0, 0};
    movement.x0 = pair.to_x - (movement.a * pair.from_x - movement.b * pair.from_y);
    movement.y0 = pair.to_y - (movement.b * pair.from_x + movement.a * pair.from_y);
    return movement;
}

/// A movement, and the pair that says so.
class Proposal {
  public:
    explicit Proposal(const Correspondence& proposer)
        : proposer_(proposer),
          movement_(proposal_of(proposer)),
          place_error_(kPlaceError * tolerance_of(growth_of(movement_))) {}

    const Similarity& movement() const { return movement_; }
    bool has_like_shape(const Correspondence& pair) const {
        return std::abs(pair.scale_steps - proposer_.scale_steps) <= kScaleError &&
               turn_between(pair.turn, proposer_.turn) <= kTurnError;
    }
    bool agrees(const Correspondence& pair) const {
        if (!has_like_shape(pair)) return false;
        const double x = pair.to_x - proposer_.to_x, y = pair.to_y - proposer_.to_y;
        const double allowed = place_error_ + kDistanceError * std::sqrt(x * x + y * y);
        return squared_error(movement_, pair) <= allowed * allowed;
    }

  private:
    const Correspondence& proposer_;
    Similarity movement_;
    double place_error_;
};

/// Those of `pairs` that `is_right`, but of each feature its heaviest only.
template <class IsRight>
std::vector<uint32_t> one_to_one(std::span<const Correspondence> pairs, IsRight&& is_right) {
    std::vector<uint32_t> chosen;
    std::vector<bool> from_taken, to_taken;
    const auto take = [](std::vector<bool>& taken, uint32_t feature) {
        if (feature >= taken.size()) taken.resize(feature + 1);
        taken[feature] = true;
    };
    const auto is_taken = [](const std::vector<bool>& taken, uint32_t feature) {
        return feature < taken.size() && taken[feature];
    };
    for (uint32_t i = 0; i < pairs.size(); ++i) {
        if (!is_right(pairs[i]) || is_taken(from_taken, pairs[i].from) ||
            is_taken(to_taken, pairs[i].to))
            continue;
        take(from_taken, pairs[i].from);
        take(to_taken, pairs[i].to);
        chosen.push_back(i);
    }
    return chosen;
}

/// The movement with the least weighted squares of errors.
Similarity fitted(std::span<const Correspondence> pairs, std::span<const uint32_t> chosen) {
    double weight = 0, from_x = 0, from_y = 0, to_x = 0, to_y = 0;
    for (const uint32_t i : chosen) {
        const Correspondence& pair = pairs[i];
        weight += pair.weight;
        from_x += pair.weight * pair.from_x;
        from_y += pair.weight * pair.from_y;
        to_x += pair.weight * pair.to_x;
        to_y += pair.weight * pair.to_y;
    }
    from_x /= weight;
    from_y /= weight;
    to_x /= weight;
    to_y /= weight;
    double squares = 0, along = 0, across = 0;
    for (const uint32_t i : chosen) {
        const Correspondence& pair = pairs[i];
        const double x = pair.from_x - from_x, y = pair.from_y - from_y;
        const double u = pair.to_x - to_x, v = pair.to_y - to_y;
        squares += pair.weight * (x * x + y * y);
        along += pair.weight * (x * u + y * v);
        across += pair.weight * (x * v - y * u);
    }
    if (!(squares > 0)) return {1, 0, to_x - from_x, to_y - from_y};
    const double a = along / squares, b = across / squares;
    return {a, b, to_x - (a * from_x - b * from_y), to_y - (b * from_x + a * from_y)};
}

}  // namespace

double growth_of(const Similarity& movement) {
    return std::sqrt(movement.a * movement.a + movement.b * movement.b);
}

double tolerance_of(double growth) {
    return growth < 1 ? std::max(growth, kLeastTolerance) : std::max(1.0, growth * kLeastTolerance);
}

double squared_error(const Similarity& movement, const Correspondence& pair) {
    const double x = movement.a * pair.from_x - movement.b * pair.from_y + movement.x0 - pair.to_x;
    const double y = movement.b * pair.from_x + movement.a * pair.from_y + movement.y0 - pair.to_y;
    return x * x + y * y;
}

Verified verify(std::span<const Correspondence> pairs) {
    std::optional<Proposal> best;
    double best_weight = 0;
    for (const Correspondence& proposer : pairs.first(std::min(pairs.size(), kMaxProposals))) {
        const Proposal proposal(proposer);
        double weight = 0;
        for (const Correspondence& pair : pairs)
            if (proposal.agrees(pair)) weight += pair.weight;
        if (weight <= best_weight) continue;
        best_weight = weight;
        best.emplace(proposer);
    }
    if (!best) return {{}, {1, 0, 0, 0}};
    Verified verified{
        one_to_one(pairs, [&](const Correspondence& pair) { return best->agrees(pair); }),
        best->movement()};
    for (int round = 0; round < kLeastSquaresRounds && verified.inliers.size() >= 2; ++round) {
        verified.movement = fitted(pairs, verified.inliers);
        // Their scales and their places must tell the same, or all of one lies at one place.
        const double growth = growth_of(verified.movement) / growth_of(best->movement());
        if (!(growth > 1 / kMostDrift && growth < kMostDrift)) return {{}, best->movement()};
        const double error = kFittedError * tolerance_of(growth_of(verified.movement));
        verified.inliers = one_to_one(pairs, [&](const Correspondence& pair) {
            return best->has_like_shape(pair) &&
                   squared_error(verified.movement, pair) <= error * error;
        });
    }
    return verified;
}

}  // namespace lookalike

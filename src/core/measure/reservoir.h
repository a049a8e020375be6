// Draws some of many things that pass by, when nobody knows how many there will be.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace lookalike {

/// Every thing has the same chance, wherever it stands; of too few all are drawn. The caller keeps
/// what was drawn in places of its own. Takes time for what is drawn, not for what passes
/// (Li 1994, algorithm L).
class Reservoir {
  public:
    Reservoir(uint64_t wanted, uint64_t seed)
        : wanted_(wanted), next_(wanted > 0 ? 0 : kNever), random_(seed) {}

    /// `count` further things pass. Calls keep(place, i) for each that is drawn, the i-th of them:
    /// what was in the place before goes. Places count from 0.
    template <class Keep>
    void pass(uint64_t count, Keep keep) {
        for (; next_ - passed_ < count; go_to_next()) {
            const uint64_t place = next_ < wanted_ ? next_ : random_() % wanted_;
            keep(place, next_ - passed_);
        }
        passed_ += count;
    }

    /// So many places are taken, the first ones.
    uint64_t drawn() const { return std::min(wanted_, passed_); }

    uint64_t passed() const { return passed_; }

  private:
    // Above 0 and up to 1.
    double share() { return static_cast<double>((random_() >> 11) + 1) * 0x1p-53; }

    // Of things with a random number each, those with the lowest are kept: the highest of theirs
    // sinks with each that is drawn, and with it the chance of the next.
    void go_to_next() {
        if (++next_ < wanted_) return;
        limit_ *= std::exp(std::log(share()) / static_cast<double>(wanted_));
        const double skipped = std::floor(std::log(share()) / std::log1p(-limit_));
        next_ += skipped < double{kNever} ? static_cast<uint64_t>(skipped) : kNever;
    }

    static constexpr uint64_t kNever = uint64_t{1} << 62;

    uint64_t wanted_;
    uint64_t passed_ = 0;
    uint64_t next_;  // of all things, the next to be drawn
    double limit_ = 1;
    std::mt19937_64 random_;
};

}  // namespace lookalike

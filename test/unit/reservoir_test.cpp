#include "core/measure/reservoir.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace lookalike {
namespace {

/// What is kept of `count` things that pass in stretches of up to `stretch`.
std::vector<uint64_t> draw(uint64_t wanted, uint64_t count, uint64_t stretch, uint64_t seed) {
    Reservoir reservoir(wanted, seed);
    std::vector<uint64_t> kept(wanted);
    for (uint64_t first = 0; first < count; first += stretch) {
        reservoir.pass(std::min(stretch, count - first), [&](uint64_t place, uint64_t i) {
            EXPECT_LT(i, stretch);
            kept.at(place) = first + i;
        });
    }
    EXPECT_EQ(reservoir.passed(), count);
    kept.resize(reservoir.drawn());
    return kept;
}

TEST(Reservoir, EveryThingHasTheSameChance) {
    constexpr uint64_t kCount = 100;
    constexpr int kDraws = 20000;
    for (const uint64_t wanted : {1, 7, 60}) {
        std::vector<int> drawn(kCount);
        for (int seed = 0; seed < kDraws; ++seed)
            for (const uint64_t thing : draw(wanted, kCount, 9, static_cast<uint64_t>(seed)))
                ++drawn.at(thing);
        // Five standard deviations of a binomial.
        const double share = static_cast<double>(wanted) / kCount;
        const double error = 5 * std::sqrt(kDraws * share * (1 - share));
        for (const int count : drawn)
            EXPECT_NEAR(count, kDraws * share, error) << wanted;
    }
}

TEST(Reservoir, DrawsOfManyAndOfFew) {
    for (const uint64_t count : {0, 5, 50, 51, 100000}) {
        const std::vector<uint64_t> kept = draw(50, count, 220, 3);
        EXPECT_EQ(kept.size(), std::min<uint64_t>(50, count));
        EXPECT_EQ(std::set(kept.begin(), kept.end()).size(), kept.size());
        EXPECT_EQ(draw(50, count, 1000, 3), kept);
    }
    EXPECT_NE(draw(50, 1000, 220, 3), draw(50, 1000, 220, 4));
    EXPECT_TRUE(draw(0, 100, 10, 3).empty());
}

}  // namespace
}  // namespace lookalike

#include "core/candidate_window.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "each_target.h"

namespace lookalike {
namespace {

using Pairs = std::vector<std::pair<float, uint64_t>>;

Pairs content(CandidateWindow& window) {
    Pairs pairs;
    for (const Candidate& candidate : window.sorted())
        pairs.emplace_back(candidate.bound, candidate.id);
    return pairs;
}

/// Few different bounds, so that many tie.
std::vector<float> random_bounds(size_t count, std::mt19937_64& random) {
    std::vector<float> bounds(count);
    for (float& bound : bounds)
        bound = static_cast<float>(random() % 97) - 40;
    return bounds;
}

TEST(CandidateWindow, KeepsTheBestOfAllInAnyOrder) {
    std::mt19937_64 random(1);
    for (const size_t count : {0u, 1u, 500u, 512u, 513u, 1024u, 1025u, 20000u}) {
        const size_t blocks = (count + 31) / 32;
        const std::vector<float> bounds = random_bounds(blocks * 32, random);
        Pairs expected;
        std::vector<uint32_t> valid(blocks);
        for (size_t i = 0; i < count; ++i)
            if (random() % 5 != 0) {
                expected.emplace_back(bounds[i], i);
                valid[i / 32] |= 1u << (i % 32);
            }
        std::sort(expected.begin(), expected.end());
        const size_t pushed = expected.size();
        expected.resize(std::min<size_t>(pushed, 512));
        std::vector<size_t> order(blocks);
        for (size_t i = 0; i < blocks; ++i)
            order[i] = i;
        on_each_target([&] {
            std::shuffle(order.begin(), order.end(), random);
            CandidateWindow window;
            for (const size_t block : order)
                window.push_block(&bounds[block * 32], valid[block], block * 32);
            EXPECT_EQ(content(window), expected);
            EXPECT_EQ(window.is_complete(), pushed <= 512);
            EXPECT_EQ(window.limit().bound == INFINITY, pushed <= 512);
        });
    }
}

/// Sorting goes in parts that grow; each must go on where the one before ended.
TEST(CandidateWindow, HandsOutTheSameInParts) {
    std::mt19937_64 random(3);
    const std::vector<float> bounds = random_bounds(20000, random);
    CandidateWindow window;
    for (size_t first = 0; first < bounds.size(); first += 32)
        window.push_block(&bounds[first], 0xffffffff, first);
    CandidateWindow other = window;
    const Pairs expected = content(other);
    EXPECT_EQ(expected.size(), 512u);
    for (size_t count = 1; count < 600; count += 1 + count / 7) {
        const std::span<const Candidate> best = window.best(count);
        ASSERT_EQ(best.size(), std::min<size_t>(count, 512));
        for (size_t i = 0; i < best.size(); ++i)
            EXPECT_EQ(std::make_pair(best[i].bound, best[i].id), expected[i]);
    }
}

TEST(CandidateWindow, SurvivesDataThatFoolsTheSample) {
    for (const size_t capacity : {1u, 3u, 64u, 512u}) {
        CandidateWindow window(capacity);
        Pairs expected;
        for (uint64_t id = 0; id < 8192; ++id) {
            // All alike, or ascending, or descending.
            const float bound = id < 3000 ? 7 : id < 6000 ? static_cast<float>(id) : -1.0f * id;
            window.push(bound, id);
            expected.emplace_back(bound, id);
        }
        std::sort(expected.begin(), expected.end());
        expected.resize(capacity);
        EXPECT_EQ(content(window), expected) << capacity;
    }
}

TEST(CandidateWindow, IsCompleteUpToItsLimitAtAnyTime) {
    std::mt19937_64 random(2);
    const std::vector<float> bounds = random_bounds(4096, random);
    CandidateWindow window(64);
    for (size_t first = 0; first < bounds.size(); first += 32) {
        window.push_block(&bounds[first], 0xffffffff, first);
        if (random() % 8 != 0) continue;
        const Pairs inside = content(window);
        const Candidate limit = window.limit();
        size_t below = 0;
        for (size_t i = 0; i < first + 32; ++i) {
            if (limit < Candidate{bounds[i], i}) continue;
            ++below;
            EXPECT_TRUE(std::binary_search(inside.begin(), inside.end(),
                                           std::make_pair(bounds[i], uint64_t{i})));
        }
        if (first >= 64) {
            EXPECT_EQ(below, 64u);
        }
    }
}

TEST(CandidateWindow, NeverLosesWhatCouldNotBeComputed) {
    on_each_target([] {
        CandidateWindow window(32);
        const std::vector<float> ordinary(32, -1e30f);
        for (uint64_t block = 0; block < 10; ++block)
            window.push_block(ordinary.data(), 0xffffffff, block * 32);
        std::vector<float> odd(32, 5.0f);
        odd[3] = NAN;
        odd[20] = -INFINITY;
        window.push_block(odd.data(), 0xffffffff, 1000);
        const std::span<const Candidate> sorted = window.sorted();
        EXPECT_EQ(sorted[0].id, 1003u);
        EXPECT_EQ(sorted[0].bound, -INFINITY);
        EXPECT_EQ(sorted[1].id, 1020u);
        EXPECT_EQ(sorted[2].id, 0u);
        EXPECT_EQ(sorted.size(), 32u);
    });
}

TEST(CandidateWindow, KeepsInfiniteBoundsWhileThereIsRoom) {
    CandidateWindow window(4);
    window.push(INFINITY, std::numeric_limits<uint64_t>::max());
    EXPECT_EQ(window.sorted().size(), 1u);
    EXPECT_TRUE(window.is_complete());
    for (uint64_t id = 0; id < 8; ++id)
        window.push(INFINITY, id);
    EXPECT_EQ(window.sorted().size(), 4u);
    EXPECT_FALSE(window.is_complete());
    EXPECT_EQ(window.limit().id, 3u);
}

TEST(CandidateWindow, StartsAgainWithAnotherCapacity) {
    CandidateWindow window(2);
    for (uint64_t id = 0; id < 10; ++id)
        window.push(1, id);
    EXPECT_EQ(content(window), (Pairs{{1, 0}, {1, 1}}));
    window.clear(4);
    EXPECT_EQ(window.limit().bound, INFINITY);
    for (uint64_t id = 10; id-- > 0;)
        window.push(1, id);
    EXPECT_EQ(content(window), (Pairs{{1, 0}, {1, 1}, {1, 2}, {1, 3}}));
    EXPECT_EQ(window.limit().id, 3u);
}

}  // namespace
}  // namespace lookalike

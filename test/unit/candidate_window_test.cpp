#include "core/search/candidate_window.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "each_target.h"

namespace lookalike {
namespace {

using Pairs = std::vector<std::pair<float, uint64_t>>;

/// What it holds up to its limit.
Pairs content(CandidateWindow& window) {
    Pairs pairs;
    for (const Candidate& candidate : window.best(2 * window.capacity() + 32))
        if (!(window.limit() < candidate)) pairs.emplace_back(candidate.bound, candidate.id);
    return pairs;
}

/// Holds it to: all that were pushed up to its limit, and at least its capacity.
void expect_best(CandidateWindow& window, Pairs pushed) {
    std::sort(pushed.begin(), pushed.end());
    const Pairs inside = content(window);
    ASSERT_LE(inside.size(), pushed.size());
    EXPECT_EQ(inside.size() == pushed.size(), window.is_complete());
    EXPECT_GE(inside.size(), std::min(pushed.size(), window.capacity()));
    EXPECT_TRUE(std::equal(inside.begin(), inside.end(), pushed.begin()));
    if (inside.size() < pushed.size()) {
        const auto& [bound, id] = pushed[inside.size()];
        EXPECT_TRUE(window.limit() < (Candidate{bound, id}));
    }
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
        std::vector<size_t> order(blocks);
        for (size_t i = 0; i < blocks; ++i)
            order[i] = i;
        on_each_target([&] {
            std::shuffle(order.begin(), order.end(), random);
            CandidateWindow window;
            for (const size_t block : order)
                window.push_block(&bounds[block * 32], valid[block], block * 32);
            expect_best(window, expected);
            EXPECT_EQ(window.limit().bound == INFINITY, window.is_complete());
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
    EXPECT_GE(expected.size(), 512u);
    for (size_t count = 1; count < expected.size(); count += 1 + count / 7) {
        const std::span<const Candidate> best = window.best(count);
        ASSERT_EQ(best.size(), count);
        for (size_t i = 0; i < best.size(); ++i)
            EXPECT_EQ(std::make_pair(best[i].bound, best[i].id), expected[i]);
    }
}

TEST(CandidateWindow, SurvivesDataThatFoolsTheSample) {
    for (const size_t capacity : {1u, 3u, 64u, 512u}) {
        CandidateWindow window(capacity, capacity == 3);
        Pairs expected;
        for (uint64_t id = 0; id < 8192; ++id) {
            // All alike, or ascending, or descending.
            const float bound = id < 3000 ? 7 : id < 6000 ? static_cast<float>(id) : -1.0f * id;
            window.push(bound, id);
            expected.emplace_back(bound, id);
        }
        SCOPED_TRACE(capacity);
        expect_best(window, expected);
    }
}

TEST(CandidateWindow, IsCompleteUpToItsLimitAtAnyTime) {
    std::mt19937_64 random(2);
    const std::vector<float> bounds = random_bounds(4096, random);
    CandidateWindow window(64);
    Pairs pushed;
    for (size_t first = 0; first < bounds.size(); first += 32) {
        window.push_block(&bounds[first], 0xffffffff, first);
        for (size_t i = first; i < first + 32; ++i)
            pushed.emplace_back(bounds[i], i);
        if (random() % 8 == 0) expect_best(window, pushed);
    }
}

TEST(CandidateWindow, ForgetsWhatWasTakenAndKeepsTheRest) {
    std::mt19937_64 random(4);
    const std::vector<float> bounds = random_bounds(8192, random);
    CandidateWindow window(64);
    Pairs taken;
    Pairs rest;
    for (size_t first = 0; first < bounds.size(); first += 32) {
        window.push_block(&bounds[first], 0xffffffff, first);
        for (size_t i = first; i < first + 32; ++i)
            rest.emplace_back(bounds[i], i);
        if (random() % 8 != 0) continue;
        std::sort(rest.begin(), rest.end());
        const size_t count = std::min<size_t>(random() % 40, content(window).size());
        const std::span<const Candidate> best = window.best(count);
        for (const Candidate& candidate : best)
            taken.emplace_back(candidate.bound, candidate.id);
        ASSERT_TRUE(std::equal(rest.begin(), rest.begin() + count, taken.end() - count));
        window.forget_best(count);
        rest.erase(rest.begin(), rest.begin() + count);
        const Pairs inside = content(window);
        ASSERT_TRUE(std::equal(inside.begin(), inside.end(), rest.begin()));
        if (inside.size() < rest.size()) {
            const auto& [bound, id] = rest[inside.size()];
            ASSERT_TRUE(window.limit() < (Candidate{bound, id}));
        }
    }
    EXPECT_GT(taken.size(), 200u);
}

/// What was dropped does not come back: so a later candidate must not stand for it.
TEST(CandidateWindow, TakesNoneAboveItsLimitAndNeverRaisesIt) {
    for (const size_t others : {0u, 40u}) {
        CandidateWindow window(64);
        for (uint64_t id = 0; id < 40; ++id)
            window.push(1, id);
        for (uint64_t id = 0; id < 129 - others; ++id)
            window.push(5, 100 + id);
        const Candidate limit = window.limit();
        EXPECT_EQ(limit.bound, 5);
        window.forget_best(window.best(1000).size());
        const std::vector<float> ties(32, 5.0f);
        for (uint64_t id = 1000; id < 2000; id += 32)
            window.push_block(ties.data(), 0xffffffff, id);
        EXPECT_FALSE(limit < window.limit());
        EXPECT_TRUE(window.best(1).empty());
    }
}

TEST(CandidateWindow, KeepsOfABlockOfEqualsThoseUpToItsLimit) {
    on_each_target([] {
        CandidateWindow window(4);
        for (uint64_t id = 100; id <= 180; id += 10)
            window.push(5, id);
        EXPECT_EQ(window.limit().id, 130u);
        const std::vector<float> ties(32, 5.0f);
        window.push_block(ties.data(), ~uint32_t{4}, 128);
        std::vector<uint64_t> ids;
        for (const Candidate& candidate : window.best(100))
            ids.push_back(candidate.id);
        EXPECT_EQ(ids, (std::vector<uint64_t>{100, 110, 120, 128, 129, 130}));
    });
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
        const std::span<const Candidate> sorted = window.best(3);
        EXPECT_EQ(sorted[0].id, 1003u);
        EXPECT_EQ(sorted[0].bound, -INFINITY);
        EXPECT_EQ(sorted[1].id, 1020u);
        EXPECT_EQ(sorted[2].id, 0u);
    });
}

TEST(CandidateWindow, KeepsInfiniteBoundsWhileThereIsRoom) {
    CandidateWindow window(4);
    window.push(INFINITY, std::numeric_limits<uint64_t>::max());
    EXPECT_EQ(window.best(2).size(), 1u);
    EXPECT_TRUE(window.is_complete());
    for (uint64_t id = 0; id < 8; ++id)
        window.push(INFINITY, id);
    EXPECT_EQ(window.best(4)[3].id, 3u);
    EXPECT_FALSE(window.is_complete());
    EXPECT_LT(window.limit().id, 8u);
}

/// Many equal bounds among others, those above them too.
Pairs push_ties(CandidateWindow& window, std::mt19937_64& random) {
    Pairs pushed;
    for (uint64_t first = 0; first < 6400; first += 32) {
        float bounds[32];
        for (uint64_t i = 0; i < 32; ++i) {
            const auto draw = static_cast<float>(random() % 1000);
            bounds[i] = draw < 40 ? draw : 500;
            pushed.emplace_back(bounds[i], first + i);
        }
        if (first % 640 == 0) bounds[5] = pushed[first + 5].first = 600;
        window.push_block(bounds, 0xffffffff, first);
    }
    std::sort(pushed.begin(), pushed.end());
    return pushed;
}

TEST(CandidateWindow, IsNotCrowdedByTies) {
    on_each_target([] {
        std::mt19937_64 random(5);
        CandidateWindow window(512, true);
        const Pairs pushed = push_ties(window, random);
        // Up to its limit all.
        const Pairs inside = content(window);
        EXPECT_GE(inside.size(), 256u);
        EXPECT_TRUE(std::equal(inside.begin(), inside.end(), pushed.begin()));
        EXPECT_FALSE(window.is_complete());
        EXPECT_EQ(window.limit().bound, 500);
        EXPECT_EQ(window.limit().id, inside.back().second);
        // And what lies above the ties.
        EXPECT_FALSE(window.is_beyond(600));
        const auto all = window.best(2000);
        EXPECT_EQ(std::ranges::count(all, 600.0f, &Candidate::bound), 10);
    });
}

TEST(CandidateWindow, KeepsItsOrderWhenTiesAreRaised) {
    std::mt19937_64 random(5);
    CandidateWindow window(512, true);
    Pairs pushed = push_ties(window, random);
    const auto first = std::ranges::find(pushed, 500.0f, &Pairs::value_type::first);
    const uint64_t from = first[20].second;
    window.raise({500, from}, 700);
    for (auto& [bound, id] : pushed)
        if (bound == 500 && id >= from) bound = 700;
    std::sort(pushed.begin(), pushed.end());
    const Pairs inside = content(window);
    EXPECT_EQ(window.limit().bound, 700);
    EXPECT_TRUE(std::equal(inside.begin(), inside.end(), pushed.begin()));
    // Those left out come up no more until they are raised again; others do.
    const size_t before = window.best(5000).size();
    window.push(700, 100000);
    EXPECT_EQ(window.best(5000).size(), before);
    window.push(650, 100001);
    EXPECT_EQ(window.best(5000).size(), before + 1);
}

TEST(CandidateWindow, StartsAgainWithAnotherCapacity) {
    CandidateWindow window(2);
    Pairs pushed;
    for (uint64_t id = 0; id < 10; ++id) {
        window.push(1, id);
        pushed.emplace_back(1, id);
    }
    expect_best(window, pushed);
    EXPECT_FALSE(window.is_complete());
    window.clear(4);
    EXPECT_TRUE(window.is_complete());
    for (uint64_t id = 10; id-- > 0;)
        window.push(1, id);
    expect_best(window, pushed);
    EXPECT_FALSE(window.is_complete());
}

TEST(CandidateWindow, HasTheGreatestCapacityThatFits) {
    EXPECT_EQ(CandidateWindow::capacity_within(0), 0u);
    for (const size_t bytes : {size_t{4096}, size_t{32} << 10, size_t{2} << 20, size_t{1} << 30}) {
        const size_t capacity = CandidateWindow::capacity_within(bytes);
        EXPECT_LE(CandidateWindow::bytes(capacity), bytes);
        EXPECT_GT(CandidateWindow::bytes(capacity + 1), bytes);
    }
}

}  // namespace
}  // namespace lookalike

#include "core/page/page_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace lookalike {
namespace {

/// With nothing behind it: the address sanitizer sees a byte too far.
using Page = std::unique_ptr<uint8_t[]>;

Page random_page(std::mt19937_64& random) {
    auto page = std::make_unique<uint8_t[]>(kPageBytes);
    for (uint32_t i = 0; i < kPageBytes; ++i)
        page[i] = static_cast<uint8_t>(random());
    return page;
}

Page copy_of(const Page& page) {
    auto copy = std::make_unique<uint8_t[]>(kPageBytes);
    std::memcpy(copy.get(), page.get(), kPageBytes);
    return copy;
}

PageParts whole_page() {
    PageParts parts;
    parts.add(0, kPageBytes);
    return parts;
}

std::vector<uint8_t> delta_of(const Page& page, const Page& changed, const PageParts& parts) {
    std::vector<uint8_t> delta(kMostDeltaBytes);
    delta.resize(write_delta(page.get(), changed.get(), parts, delta.data()));
    return delta;
}

/// As PostgreSQL's generic_redo() does it. Returns how many fragments there were.
int redo(const std::vector<uint8_t>& delta, uint8_t* page) {
    int fragments = 0;
    for (size_t at = 0; at < delta.size(); ++fragments) {
        uint16_t offset, length;
        std::memcpy(&offset, delta.data() + at, 2);
        std::memcpy(&length, delta.data() + at + 2, 2);
        EXPECT_LE(at + 4 + length, delta.size());
        EXPECT_LE(uint32_t{offset} + length, kPageBytes);
        std::memcpy(page + offset, delta.data() + at + 4, length);
        at += 4 + length;
    }
    return fragments;
}

TEST(PageParts, EqualPagesHaveNoDelta) {
    std::mt19937_64 random(1);
    const Page page = random_page(random);
    EXPECT_TRUE(delta_of(page, copy_of(page), whole_page()).empty());
}

TEST(PageParts, TheDeltaMakesThePage) {
    std::mt19937_64 random(2);
    for (int changes = 1; changes <= 4096; changes *= 2) {
        const Page page = random_page(random);
        const Page changed = copy_of(page);
        for (int i = 0; i < changes; ++i)
            changed[random() % kPageBytes] ^= static_cast<uint8_t>(1 + random() % 255);
        const std::vector<uint8_t> delta = delta_of(page, changed, whole_page());
        EXPECT_LE(delta.size(), kMostDeltaBytes);
        const Page redone = copy_of(page);
        redo(delta, redone.get());
        EXPECT_EQ(std::memcmp(redone.get(), changed.get(), kPageBytes), 0) << changes;
    }
}

TEST(PageParts, APageThatIsNewAllOverFits) {
    std::mt19937_64 random(3);
    const Page page = random_page(random);
    const Page changed = copy_of(page);
    for (uint32_t i = 0; i < kPageBytes; ++i)
        changed[i] ^= 1;
    EXPECT_EQ(delta_of(page, changed, whole_page()).size(), kPageBytes + 4);
    // A byte in six: the farthest apart that they may be without being one fragment.
    for (uint32_t i = 0; i < kPageBytes; ++i)
        changed[i] = page[i] ^ (i % 6 == 0);
    EXPECT_LE(delta_of(page, changed, whole_page()).size(), kMostDeltaBytes);
}

TEST(PageParts, ShortGapsAreWrittenLongOnesAreNot) {
    const auto page = std::make_unique<uint8_t[]>(kPageBytes);
    for (uint32_t gap = 0; gap < 20; ++gap) {
        for (uint32_t start = 0; start < 16; ++start) {
            const Page changed = copy_of(page);
            changed[start] = changed[start + 1 + gap] = 1;
            const std::vector<uint8_t> delta = delta_of(page, changed, whole_page());
            EXPECT_EQ(redo(delta, copy_of(page).get()), gap <= 4 ? 1 : 2);
            EXPECT_EQ(delta.size(), gap <= 4 ? 4 + 2 + gap : 10);
        }
    }
}

TEST(PageParts, OnlyThePartsAreLookedAt) {
    std::mt19937_64 random(4);
    for (int round = 0; round < 200; ++round) {
        const Page page = random_page(random);
        const Page changed = random_page(random);
        PageParts parts;
        const Page wanted = copy_of(page);
        for (uint32_t at = random() % 100; parts.count < PageParts::kMost && at < kPageBytes;) {
            const uint32_t length = std::min<uint32_t>(1 + random() % 200, kPageBytes - at);
            parts.add(at, length);
            std::memcpy(wanted.get() + at, changed.get() + at, length);
            at += length + random() % 100;
        }
        const Page redone = copy_of(page);
        redo(delta_of(page, changed, parts), redone.get());
        EXPECT_EQ(std::memcmp(redone.get(), wanted.get(), kPageBytes), 0);
    }
}

}  // namespace
}  // namespace lookalike

#include "core/page/list_summary.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "core/search/entry_filter.h"

namespace lookalike {
namespace {

constexpr uint64_t kHighest = std::numeric_limits<uint64_t>::max();

AttributeKeys keys_of(uint64_t first, uint64_t second, uint32_t nulls = 0) {
    AttributeKeys keys{};
    keys.widths.count = 2;
    keys.widths.width[0] = 4;
    keys.widths.width[1] = 8;
    keys.keys[0] = first;
    keys.keys[1] = second;
    keys.nulls = nulls;
    return keys;
}

EncodedEntry entry_of(const AttributeKeys& keys, float radius) {
    return {.pointer = {},
            .factors = {},
            .code = nullptr,
            .refine = nullptr,
            .attributes = &keys,
            .radius = radius};
}

bool may_pass(const std::vector<uint8_t>& summary, uint32_t attribute, bool takes_null,
              std::vector<KeyRange> ranges) {
    const AttributeFilter filter{attribute, takes_null, std::move(ranges)};
    return EntryFilter({filter}).may_pass(summary.data());
}

TEST(ListSummary, OfNoEntriesLetsNothingPass) {
    const std::vector<uint8_t> summary(summary_bytes(2));
    EXPECT_FALSE(may_pass(summary, 0, true, {{0, kHighest}}));
    EXPECT_FALSE(summary_covers(summary.data(), entry_of(keys_of(0, 0), 0)));
    EXPECT_FALSE(summary_covers(summary.data(), entry_of(keys_of(kHighest, kHighest), 0)));
}

TEST(ListSummary, CoversWhatItWasWidenedBy) {
    std::mt19937_64 random(5);
    for (const uint64_t spread : {uint64_t{3}, uint64_t{1000}, kHighest}) {
        std::vector<uint8_t> summary(summary_bytes(2));
        std::vector<AttributeKeys> added;
        for (int i = 0; i < 300; ++i) {
            added.push_back(keys_of(random() % spread & 0xffffffff, random() % spread,
                                    static_cast<uint32_t>(random() % 4)));
            widen_summary(summary.data(), entry_of(added.back(), static_cast<float>(i % 7)));
        }
        for (const AttributeKeys& keys : added) {
            EXPECT_TRUE(summary_covers(summary.data(), entry_of(keys, 6)));
            for (uint32_t i = 0; i < 2; ++i) {
                if (keys.nulls >> i & 1) {
                    EXPECT_TRUE(may_pass(summary, i, true, {}));
                    continue;
                }
                const uint64_t key = keys.keys[i];
                EXPECT_TRUE(may_pass(summary, i, false, {{key, key}}));
                EXPECT_TRUE(may_pass(summary, i, false, {{key - key % 100, key}}));
                EXPECT_TRUE(may_pass(summary, i, false, {{key, kHighest}}));
            }
        }
        EXPECT_FALSE(summary_covers(summary.data(), entry_of(added[0], 7)));
        EXPECT_FALSE(summary_covers(summary.data(),
                                    entry_of(added[0], std::numeric_limits<float>::quiet_NaN())));
    }
}

TEST(ListSummary, TellsMostValuesThatNoEntryHas) {
    std::vector<uint8_t> summary(summary_bytes(2));
    for (uint64_t key = 1000; key < 1040; key += 2)
        widen_summary(summary.data(), entry_of(keys_of(key, key), 1));
    EXPECT_FALSE(may_pass(summary, 0, true, {{0, 999}}));
    EXPECT_FALSE(may_pass(summary, 0, true, {{1039, kHighest}}));
    EXPECT_FALSE(may_pass(summary, 0, true, {}));  // no NULL among them
    int passing = 0;
    for (uint64_t key = 1001; key < 1039; key += 2)
        passing += may_pass(summary, 1, false, {{key, key}});
    EXPECT_LE(passing, 3);
    EXPECT_TRUE(may_pass(summary, 1, false, {{0, 5}, {1001, 1002}}));
}

TEST(ListSummary, KeepsTheEndsOfTheKeys) {
    std::vector<uint8_t> summary(summary_bytes(2));
    widen_summary(summary.data(), entry_of(keys_of(0, kHighest), 0));
    EXPECT_TRUE(may_pass(summary, 0, false, {{0, 0}}));
    EXPECT_FALSE(may_pass(summary, 0, false, {{1, kHighest}}));
    EXPECT_TRUE(may_pass(summary, 1, false, {{kHighest, kHighest}}));
    EXPECT_FALSE(may_pass(summary, 1, false, {{0, kHighest - 1}}));
}

}  // namespace
}  // namespace lookalike

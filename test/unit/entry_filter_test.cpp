#include "core/search/entry_filter.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "each_target.h"

namespace lookalike {
namespace {

constexpr uint64_t kHighest = std::numeric_limits<uint64_t>::max();

AttributeWidths two_widths() {
    AttributeWidths widths;
    widths.count = 2;
    widths.width[0] = 4;
    widths.width[1] = 8;
    return widths;
}

// One list page of a binary index, filled with random keys that are remembered.
struct Page {
    Page() : geometry(list_geometry(Metric::kHamming, 64, Refine::kNone, 0, two_widths())) {
        init_page(bytes.data(), PageKind::kList, 1, kNoBlock);
        std::mt19937_64 random(7);
        const std::vector<uint8_t> code(geometry.row_code_bytes);
        for (uint32_t i = 0; i < geometry.max_entries; ++i) {
            AttributeKeys keys{};
            keys.widths = two_widths();
            keys.keys[0] = random() % 50;
            keys.keys[1] = random() % 4 == 0 ? random() : random() % 50;
            keys.nulls = static_cast<uint32_t>(random() % 8 == 0 ? 1 + random() % 3 : 0);
            EncodedEntry entry{entry_pointer(i + 1, 1), {}, code.data(), nullptr};
            entry.attributes = &keys;
            write_entry(geometry, bytes.data(), i, entry);
            written.push_back(keys);
        }
    }

    ListGeometry geometry;
    std::vector<uint8_t> bytes = std::vector<uint8_t>(kPageBytes);
    std::vector<AttributeKeys> written;
};

bool passes(const AttributeFilter& filter, const AttributeKeys& keys) {
    if (keys.nulls >> filter.attribute & 1) return filter.takes_null;
    for (const KeyRange& range : filter.ranges) {
        const uint64_t key = keys.keys[filter.attribute];
        if (range.low <= key && key <= range.high) return true;
    }
    return false;
}

void expect_like_naive(const Page& page, const std::vector<AttributeFilter>& filters) {
    const EntryFilter filter(filters);
    const ListPageView view(page.geometry, page.bytes.data());
    uint32_t passed = 0;
    for (uint32_t block = 0; block < view.header().block_count; ++block) {
        const uint32_t mask = filter.passing(view, block, view.live(block));
        for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
            const AttributeKeys& keys = page.written[block * kBlockEntries + lane];
            bool expected = true;
            for (const AttributeFilter& one : filters)
                expected = expected && passes(one, keys);
            EXPECT_EQ(mask >> lane & 1, expected) << block << " " << lane;
            passed += expected;
        }
    }
    EXPECT_GT(passed, 0u);
    EXPECT_LT(passed, page.written.size());
}

TEST(EntryFilter, AgreesWithOneEntryAtATime) {
    const Page page;
    std::vector<KeyRange> many;
    for (uint64_t key = 0; key < 50; key += 3)
        many.push_back({key, key});
    on_each_target([&] {
        expect_like_naive(page, {{0, false, {{10, 20}}}});
        expect_like_naive(page, {{1, false, {{0, 0}, {5, 5}, {40, kHighest}}}});
        expect_like_naive(page, {{0, true, {}}});
        expect_like_naive(page, {{0, false, {{0, std::numeric_limits<uint32_t>::max()}}}});
        expect_like_naive(page, {{0, false, {{3, 30}}}, {1, true, {{1, 25}}}});
        expect_like_naive(page, {{0, false, many}});
        expect_like_naive(page, {{1, true, many}});
    });
}

TEST(EntryFilter, LooksAtLiveEntriesOnly) {
    const Page page;
    const EntryFilter filter({{0, true, {{0, kHighest}}}});
    const ListPageView view(page.geometry, page.bytes.data());
    EXPECT_EQ(filter.passing(view, 0, 0x0000ff01u), 0x0000ff01u);
    EXPECT_EQ(filter.passing(view, 0, 0), 0u);
}

TEST(EntryFilter, KeysAreReadBackAsWritten) {
    const Page page;
    const ListPageView view(page.geometry, page.bytes.data());
    for (uint32_t i = 0; i < page.written.size(); ++i) {
        const AttributeKeys keys = read_attributes(view, i);
        EXPECT_EQ(keys.nulls, page.written[i].nulls);
        EXPECT_EQ(view.pointer(i), entry_pointer(i + 1, 1));
        for (uint32_t k = 0; k < 2; ++k) {
            if (keys.nulls >> k & 1) continue;
            EXPECT_EQ(keys.keys[k], page.written[i].keys[k]);
        }
    }
}

TEST(EntryFilter, AVersionHasTheListsThatHaveComeAndNotGone) {
    for (const Metric metric : {Metric::kL2, Metric::kHamming}) {
        const ListGeometry geometry = list_geometry(metric, 128, Refine::kInt8, 1);
        std::vector<uint8_t> page(kPageBytes);
        init_page(page.data(), PageKind::kList, 1, kNoBlock);
        const std::vector<uint8_t> code(geometry.row_code_bytes);
        const uint32_t versions[] = {0, 1, 2, 7, 8, 0x7fffffff, 0x80000000, kInTree - 1, kInTree};
        std::vector<AttributeKeys> written;
        for (const uint32_t born : versions)
            for (const uint32_t retired : versions)
                if (written.size() < geometry.max_entries)
                    written.push_back(list_keys(born, retired));
        for (uint32_t i = 0; i < written.size(); ++i) {
            EncodedEntry entry{entry_pointer(i + 1, 1), {}, code.data(), nullptr};
            entry.attributes = &written[i];
            write_entry(geometry, page.data(), i, entry);
            // Who waits for transactions to end notes their number here.
            set_attribute(geometry, page.data(), i, kRetiredXid, uint64_t{i} << 33);
        }
        const ListPageView view(geometry, page.data());
        on_each_target([&] {
            for (const uint32_t version : versions) {
                if (version == kInTree) continue;  // no tree has it
                const EntryFilter filter = filter_of_version(version);
                for (uint32_t i = 0; i < written.size(); ++i) {
                    const uint32_t block = i / kBlockEntries;
                    const uint32_t mask = filter.passing(view, block, view.live(block));
                    const bool expected =
                        written[i].keys[kBorn] <= version && version < written[i].keys[kRetired];
                    EXPECT_EQ(mask >> i % kBlockEntries & 1, expected) << version << " " << i;
                    EXPECT_EQ(is_in_tree(written[i], version), expected) << version << " " << i;
                    EXPECT_EQ(is_in_tree(read_attributes(view, i), version), expected);
                }
            }
        });
    }
}

TEST(EntryFilter, RangesAreJoinedAndIntersected) {
    const auto joined = normalize({{5, 9}, {1, 2}, {3, 4}, {20, 10}, {30, kHighest}, {40, 50}});
    ASSERT_EQ(joined.size(), 2u);
    EXPECT_EQ(joined[0].low, 1u);
    EXPECT_EQ(joined[0].high, 9u);
    EXPECT_EQ(joined[1].low, 30u);
    EXPECT_EQ(joined[1].high, kHighest);
    const auto both = intersect(joined, {{0, 0}, {8, 31}});
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(both[0].low, 8u);
    EXPECT_EQ(both[0].high, 9u);
    EXPECT_EQ(both[1].low, 30u);
    EXPECT_EQ(both[1].high, 31u);
    EXPECT_TRUE(intersect({{1, 2}}, {{3, 4}}).empty());
}

}  // namespace
}  // namespace lookalike

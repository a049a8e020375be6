#include "core/search/level_scan.h"

#include "memory_index.h"

namespace lookalike {
namespace {

/// One level, driven by hand: lists are opened when a test says so.
class HandScan {
  public:
    HandScan(MemoryIndex& index, uint32_t query_row, const LevelOptions& options)
        : index_(index),
          geometry_(index.geometry(options.level)),
          scorer_(index.scorer(index.row(query_row))),
          scan(geometry_, *scorer_, index.refine(), options),
          feeder_(index.store) {}

    void open(uint32_t list) { scan.open_list(index_.lists()[list], index_.terms(*scorer_, list)); }

    /// The next entry, if one is left in the open lists.
    bool next(FoundEntry* found) {
        for (;;) {
            switch (scan.need()) {
                case LevelScan::Need::kList:
                    feeder_.push_list(scan, scan.list_to_read());
                    break;
                case LevelScan::Need::kEntry:
                    feeder_.push_entry(scan, scan.entry_to_read());
                    break;
                case LevelScan::Need::kDistance:
                    ADD_FAILURE() << "nobody said that distances can be told";
                    return false;
                case LevelScan::Need::kNothing:
                    *found = scan.pop();
                    return true;
                case LevelScan::Need::kMore:
                    return false;
            }
            if (testing::Test::HasFatalFailure()) return false;
        }
    }

  private:
    MemoryIndex& index_;
    ListGeometry geometry_;
    std::unique_ptr<BlockScorer> scorer_;

  public:
    LevelScan scan;

  private:
    PageFeeder feeder_;
};

LevelOptions leaf_options(size_t capacity, size_t most) {
    return {
        .level = 0, .exhaustive = false, .window_capacity = capacity, .max_window_capacity = most};
}

TEST(LevelScan, KeepsItsPlaceInEachListWhenOthersAreOpened) {
    for (const uint32_t different : {0u, 40u}) {
        MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 2000, 10, different});
        for (const uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
            for (const size_t most : {size_t{8}, size_t{100}, size_t{100000}}) {
                std::mt19937_64 random(seed);
                HandScan hand(index, 3, leaf_options(8, most));
                std::vector<uint32_t> rows;
                FoundEntry found;
                for (uint32_t list = 0; list < 10; ++list) {
                    hand.open(list);
                    if (random() % 3 == 0) continue;
                    for (uint64_t i = random() % 300; i > 0 && hand.next(&found); --i)
                        rows.push_back(MemoryIndex::row_of(found.pointer));
                }
                while (hand.next(&found))
                    rows.push_back(MemoryIndex::row_of(found.pointer));
                std::sort(rows.begin(), rows.end());
                ASSERT_EQ(rows.size(), 2000u);
                for (uint32_t row = 0; row < 2000; ++row)
                    ASSERT_EQ(rows[row], row);
            }
        }
    }
}

TEST(LevelScan, ReadsListsAgainOnlyWhenItsWindowHasRunDry) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 1000, 2});
    HandScan hand(index, 3, leaf_options(64, 4096));
    hand.open(0);
    hand.open(1);
    FoundEntry found;
    ASSERT_TRUE(hand.next(&found));
    EXPECT_EQ(hand.scan.counters().lists_read, 2u);
    EXPECT_EQ(hand.scan.counters().entries_scanned, 1000u);
    EXPECT_LE(hand.scan.counters().entries_refined, 64u);
    uint32_t count = 1;
    while (hand.next(&found))
        ++count;
    EXPECT_EQ(count, 1000u);
    // At least 64, 128, 256 and 512, and at last the rest.
    EXPECT_GE(hand.scan.counters().lists_read, 6u);
    EXPECT_LE(hand.scan.counters().lists_read, 10u);
    EXPECT_EQ(hand.scan.counters().entries_refined, 1000u);
}

TEST(LevelScan, NamesThePlaceOfAnEntryAsLongAsItLives) {
    MemoryIndex index({Metric::kL2, 2040, Refine::kFloat, 200, 2});
    const ListGeometry geometry = index.geometry(0);
    HandScan hand(index, 3, leaf_options(16, 1024));
    hand.open(0);
    hand.open(1);
    std::vector<FoundEntry> all;
    for (FoundEntry found; hand.next(&found);)
        all.push_back(found);
    EXPECT_EQ(all.size(), 200u);
    for (const FoundEntry& found : all) {
        const EntryPlace place = hand.scan.place(found.id);
        const ListPageView view(geometry, index.store.page(place.list_page));
        EXPECT_EQ(view.pointer(place.index), found.pointer);
        RefineSlotHeader header;
        index.store.copy_stream(PageKind::kRefine, place.list_page, place.slot_pages,
                                place.slot_offset, sizeof header,
                                reinterpret_cast<uint8_t*>(&header));
        EXPECT_EQ(header.pointer, found.pointer);
    }
}

TEST(LevelScan, SeesWhichEntriesFollow) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 500, 1});
    HandScan hand(
        index, 3,
        {.level = 0, .exhaustive = true, .window_capacity = 64, .max_window_capacity = 64});
    hand.open(0);
    PageFeeder feeder(index.store);
    EntryPlace seen[3];
    uint32_t seen_count = 0;
    uint32_t read_count = 0;
    while (hand.scan.need() != LevelScan::Need::kNothing) {
        if (hand.scan.need() == LevelScan::Need::kList) {
            feeder.push_list(hand.scan, hand.scan.list_to_read());
            continue;
        }
        const EntryPlace place = hand.scan.entry_to_read();
        if (seen_count == 3 && read_count < 3) {
            EXPECT_EQ(place.index, seen[read_count].index);
            EXPECT_EQ(place.list_page, seen[read_count].list_page);
            ++read_count;
        }
        if (seen_count == 0) {
            for (; seen_count < 3; ++seen_count)
                ASSERT_TRUE(hand.scan.following_entry(seen_count + 1, &seen[seen_count]));
        }
        EntryPlace none;
        EXPECT_FALSE(hand.scan.following_entry(1000, &none));
        feeder.push_entry(hand.scan, place);
    }
    EXPECT_EQ(read_count, 3u);
}

TEST(LevelScan, HasNothingToGiveWithoutLists) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 10, 1});
    HandScan hand(index, 3, leaf_options(64, 64));
    EXPECT_EQ(hand.scan.need(), LevelScan::Need::kMore);
    hand.open(0);
    EXPECT_EQ(hand.scan.need(), LevelScan::Need::kList);
}

}  // namespace
}  // namespace lookalike

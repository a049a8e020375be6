#include "core/page/list_page_builder.h"

#include "memory_index.h"

namespace lookalike {
namespace {

struct RandomEntries {
    RandomEntries(const ListGeometry& geometry, uint32_t count, uint64_t seed)
        : bytes(size_t{count} * (geometry.row_code_bytes + geometry.slot_bytes)) {
        std::mt19937_64 random(seed);
        for (uint8_t& byte : bytes)
            byte = static_cast<uint8_t>(random());
        const uint8_t* next = bytes.data();
        for (uint32_t i = 0; i < count; ++i) {
            entries.push_back({.pointer = entry_pointer(1000 + i, static_cast<uint16_t>(i + 1)),
                               .factors = {1.0f * i, 2.0f * i, 3.0f * i},
                               .code = next,
                               .refine = next + geometry.row_code_bytes});
            next += geometry.row_code_bytes + geometry.slot_bytes;
        }
    }
    std::vector<uint8_t> bytes;
    std::vector<EncodedEntry> entries;
};

/// Everything that a reader sees of an entry, through the links.
std::vector<uint8_t> seen_bytes(PageStore& store, const ListGeometry& geometry, uint32_t list) {
    std::vector<uint8_t> seen;
    for (uint32_t block = list; block != kNoBlock; block = page_trailer(store.page(block))->next) {
        const ListPageView view(geometry, store.page(block));
        for (uint32_t i = 0; i < view.header().block_count; ++i) {
            std::vector<uint8_t> codes(geometry.block_code_bytes);
            if (geometry.codes_inside) {
                std::copy_n(view.codes(i), codes.size(), codes.begin());
            } else {
                const StreamPlace place = geometry.code_place(i);
                store.copy_stream(PageKind::kCode, block,
                                  {view.code_pages() + place.page_index,
                                   geometry.max_code_pages - place.page_index},
                                  place.offset, codes.size(), codes.data());
            }
            seen.insert(seen.end(), codes.begin(), codes.end());
        }
        for (uint32_t i = 0; i < view.entry_places(); ++i) {
            if (!view.is_live(i)) continue;
            const EntryPointer pointer = view.pointer(i);
            seen.insert(seen.end(), {static_cast<uint8_t>(pointer.block_low), 1});
            if (geometry.slot_bytes == 0) continue;
            std::vector<uint8_t> slot(geometry.slot_bytes);
            const StreamPlace place = geometry.slot_place(i);
            store.copy_stream(PageKind::kRefine, block,
                              {view.refine_pages() + place.page_index,
                               geometry.max_refine_pages - place.page_index},
                              place.offset, slot.size(), slot.data());
            seen.insert(seen.end(), slot.begin(), slot.end());
        }
    }
    return seen;
}

uint32_t live_count(PageStore& store, const ListGeometry& geometry, uint32_t list) {
    uint32_t count = 0;
    for (uint32_t block = list; block != kNoBlock; block = page_trailer(store.page(block))->next) {
        EXPECT_EQ(list_page_fault(geometry, store.page(block)), nullptr);
        count += ListPageView(geometry, store.page(block)).live_count();
    }
    return count;
}

// The pages may stand in another order: what a build lays down in a row, inserts add as needed.
TEST(ListPageBuilder, LeavesWhatInsertsLeave) {
    const ListGeometry geometries[] = {
        list_geometry(Metric::kL2, 128, Refine::kInt8, 0),
        list_geometry(Metric::kL2, 2048, Refine::kHalf, 0),
        list_geometry(Metric::kL2, 4096, Refine::kFloat, 0),
        list_geometry(Metric::kHamming, 8192, Refine::kNone, 0),
        plain_list_geometry(),
    };
    for (const ListGeometry& geometry : geometries) {
        const uint32_t most = geometry.max_entries;
        for (const uint32_t count : {0u, 1u, 31u, 32u, 33u, most - 1, most, most + 1, 2 * most}) {
            SCOPED_TRACE(count);
            const RandomEntries random(geometry, count, count);
            PageStore built;
            StoredLists build(built, geometry, 0);
            for (const EncodedEntry& entry : random.entries)
                build.add(entry);
            const uint32_t list = build.finish();
            PageStore inserted;
            StoredLists insert(inserted, geometry, 0);
            ASSERT_EQ(insert.finish(), list);
            for (const EncodedEntry& entry : random.entries)
                insert.append(list, entry);
            EXPECT_EQ(built.page_count(), inserted.page_count());
            EXPECT_EQ(live_count(built, geometry, list), count);
            EXPECT_EQ(seen_bytes(built, geometry, list), seen_bytes(inserted, geometry, list));
        }
    }
}

TEST(ListPageBuilder, StartsAgainEmpty) {
    const ListGeometry geometry = list_geometry(Metric::kL2, 2048, Refine::kInt8, 0);
    const RandomEntries random(geometry, geometry.max_entries, 5);
    PageStore once;
    StoredLists first(once, geometry, 0);
    first.add(random.entries[0]);
    first.finish();
    PageStore twice;
    StoredLists second(twice, geometry, 0);
    for (const EncodedEntry& entry : random.entries)
        second.add(entry);
    second.finish();
    second.begin();
    second.add(random.entries[0]);
    const uint32_t list = second.finish();
    EXPECT_EQ(seen_bytes(once, geometry, 1), seen_bytes(twice, geometry, list));
}

TEST(ListPageBuilder, NamesItsLevelAndItsPages) {
    const ListGeometry geometry = list_geometry(Metric::kL2, 2048, Refine::kInt8, 0);
    const RandomEntries random(geometry, 40, 6);
    ListPageBuilder builder(geometry);
    for (const EncodedEntry& entry : random.entries)
        builder.add(entry);
    std::vector<uint8_t> page(kPageBytes);
    init_page(page.data(), PageKind::kList, 50, kNoBlock);
    builder.fill_list_page(page.data(), 50, 3);
    const ListPageView view(geometry, page.data());
    EXPECT_EQ(view.header().level, 3);
    EXPECT_EQ(view.header().insert_block, kNoBlock);
    EXPECT_EQ(page_trailer(page.data())->list_id, 50u);
    uint32_t block = 50;
    for (uint32_t i = 0; i < builder.code_page_count(); ++i)
        EXPECT_EQ(view.code_pages()[i], ++block);
    for (uint32_t i = 0; i < builder.refine_page_count(); ++i)
        EXPECT_EQ(view.refine_pages()[i], ++block);
    EXPECT_EQ(builder.page_count(), block - 50 + 1);
}

}  // namespace
}  // namespace lookalike

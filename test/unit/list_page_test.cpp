#include "core/page/list_page.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "core/code/index_space.h"

namespace lookalike {
namespace {

/// A page with nothing behind it: the address sanitizer sees a byte too far.
struct OwnPage {
    OwnPage() { init_page(bytes.get(), PageKind::kList, 7, kNoBlock); }
    std::unique_ptr<uint8_t[]> bytes = std::make_unique<uint8_t[]>(kPageBytes);
};

const std::vector<ListGeometry>& geometries() {
    static const std::vector<ListGeometry> all = {
        list_geometry(Metric::kL2, 128, Refine::kInt8, 0),
        list_geometry(Metric::kL2, 784 + 48, Refine::kFloat, 0),
        list_geometry(Metric::kL2, 2048, Refine::kInt8, 0),
        list_geometry(Metric::kL2, 16000, Refine::kFloat, 0),
        list_geometry(Metric::kHamming, 64, Refine::kNone, 0),
        list_geometry(Metric::kHamming, 64000, Refine::kNone, 0),
        plain_list_geometry(),
    };
    return all;
}

struct TestEntry {
    TestEntry(const ListGeometry& geometry, std::mt19937_64& random)
        : code(geometry.row_code_bytes), slot(geometry.slot_bytes) {
        for (uint8_t& byte : code)
            byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : slot)
            byte = static_cast<uint8_t>(random());
        encoded = {
            .pointer =
                entry_pointer(static_cast<uint32_t>(random()), static_cast<uint16_t>(random())),
            .factors = {static_cast<float>(random() % 1000), static_cast<float>(random() % 1000),
                        static_cast<float>(random() % 1000)},
            .code = code.data(),
            .refine = slot.data()};
    }
    std::vector<uint8_t> code;
    std::vector<uint8_t> slot;
    EncodedEntry encoded;
};

std::vector<uint8_t> code_of(const ListGeometry& geometry, const uint8_t* codes, uint32_t lane) {
    std::vector<uint8_t> code(geometry.row_code_bytes);
    if (geometry.factor_bytes > 0) {
        get_code(codes, lane, code.data(), geometry.row_code_bytes * 2);
    } else if (!code.empty()) {
        std::memcpy(code.data(), codes + size_t{lane} * code.size(), code.size());
    }
    return code;
}

void expect_entry(const ListGeometry& geometry, const uint8_t* page, uint32_t index,
                  const TestEntry& entry) {
    const ListPageView view(geometry, page);
    const uint32_t block = index / kBlockEntries;
    const uint32_t lane = index % kBlockEntries;
    EXPECT_TRUE(view.is_live(index));
    EXPECT_EQ(view.pointer(index), entry.encoded.pointer);
    if (geometry.factor_bytes > 0) {
        const ScanColumns columns = view.columns(block);
        EXPECT_EQ(columns.base[lane], entry.encoded.factors.base);
        EXPECT_EQ(columns.scale[lane], entry.encoded.factors.scale);
        EXPECT_EQ(columns.error[lane], entry.encoded.factors.error);
    }
    if (geometry.codes_inside) {
        EXPECT_EQ(code_of(geometry, view.codes(block), lane), entry.code);
    }
}

TEST(ListPage, TellsWhatIsWrong) {
    OwnPage page;
    EXPECT_EQ(page_fault(page.bytes.get(), PageKind::kList), nullptr);
    EXPECT_NE(page_fault(page.bytes.get(), PageKind::kRefine), nullptr);
    page_trailer(page.bytes.get())->version = kFormatVersion + 1;
    EXPECT_NE(page_fault(page.bytes.get(), PageKind::kList), nullptr);
    OwnPage foreign;
    page_trailer(foreign.bytes.get())->page_id = 0xFF80;
    EXPECT_NE(page_fault(foreign.bytes.get(), PageKind::kList), nullptr);
    const std::vector<uint8_t> zero(kPageBytes);
    EXPECT_NE(page_fault(zero.data(), PageKind::kNone), nullptr);
}

TEST(ListPage, ListPagesClaimNoMoreThanTheyHold) {
    for (const ListGeometry& geometry : geometries()) {
        OwnPage page;
        auto* header = reinterpret_cast<ListHeader*>(page_body(page.bytes.get()));
        EXPECT_EQ(list_page_fault(geometry, page.bytes.get()), nullptr);
        header->block_count = static_cast<uint16_t>(geometry.max_blocks + 1);
        EXPECT_NE(list_page_fault(geometry, page.bytes.get()), nullptr);
        header->block_count = 0xffff;
        EXPECT_NE(list_page_fault(geometry, page.bytes.get()), nullptr);
        header->block_count = static_cast<uint16_t>(geometry.max_blocks);
        EXPECT_EQ(list_page_fault(geometry, page.bytes.get()) == nullptr, geometry.codes_inside);
        for (uint32_t i = 0; i < geometry.max_code_pages; ++i) {
            EXPECT_NE(list_page_fault(geometry, page.bytes.get()), nullptr);
            set_code_page(geometry, page.bytes.get(), i, 100 + i);
        }
        EXPECT_EQ(list_page_fault(geometry, page.bytes.get()), nullptr);
    }
}

TEST(ListPage, KeepsEveryEntryApart) {
    std::mt19937_64 random(1);
    for (const ListGeometry& geometry : geometries()) {
        OwnPage page;
        for (uint32_t i = 0; i < geometry.max_code_pages; ++i)
            set_code_page(geometry, page.bytes.get(), i, 1000 + i);
        for (uint32_t i = 0; i < geometry.max_refine_pages; ++i)
            set_refine_page(geometry, page.bytes.get(), i, 2000 + i);
        std::vector<TestEntry> entries;
        const uint32_t count = geometry.max_entries;
        entries.reserve(count);
        for (uint32_t i = 0; i < count; ++i) {
            const ListPageView view(geometry, page.bytes.get());
            ASSERT_EQ(view.free_index(), i);
            entries.emplace_back(geometry, random);
            write_entry(geometry, page.bytes.get(), i, entries.back().encoded);
            ASSERT_EQ(view.live_count(), i + 1);
        }
        const ListPageView view(geometry, page.bytes.get());
        EXPECT_EQ(view.free_index(), std::nullopt);
        EXPECT_EQ(view.header().block_count, geometry.max_blocks);
        EXPECT_EQ(page_fault(page.bytes.get(), PageKind::kList), nullptr);
        EXPECT_EQ(page_trailer(page.bytes.get())->list_id, 7u);
        for (uint32_t i = 0; i < count; ++i)
            expect_entry(geometry, page.bytes.get(), i, entries[i]);
        for (uint32_t i = 0; i < geometry.max_code_pages; ++i)
            EXPECT_EQ(view.code_pages()[i], 1000 + i);
        for (uint32_t i = 0; i < geometry.max_refine_pages; ++i)
            EXPECT_EQ(view.refine_pages()[i], 2000 + i);
    }
}

TEST(ListPage, GivesClearedPlacesAway) {
    std::mt19937_64 random(2);
    for (const ListGeometry& geometry : geometries()) {
        OwnPage page;
        const ListPageView view(geometry, page.bytes.get());
        const uint32_t count = geometry.max_entries;
        std::vector<TestEntry> entries;
        entries.reserve(count);
        for (uint32_t i = 0; i < count; ++i) {
            entries.emplace_back(geometry, random);
            write_entry(geometry, page.bytes.get(), i, entries.back().encoded);
        }
        std::set<uint32_t> cleared;
        while (cleared.size() < std::min(count, 40u) - 1) {
            const auto index = static_cast<uint32_t>(random() % count);
            clear_entry(geometry, page.bytes.get(), index);
            cleared.insert(index);
            EXPECT_FALSE(view.is_live(index));
            EXPECT_EQ(view.free_index(), *cleared.begin());
            EXPECT_EQ(view.live_count(), count - cleared.size());
        }
        for (const uint32_t index : cleared) {
            EXPECT_EQ(view.free_index(), index);
            entries[index] = TestEntry(geometry, random);
            entries[index].encoded.code = entries[index].code.data();
            write_entry(geometry, page.bytes.get(), index, entries[index].encoded);
        }
        EXPECT_EQ(view.free_index(), std::nullopt);
        for (uint32_t i = 0; i < count; ++i)
            expect_entry(geometry, page.bytes.get(), i, entries[i]);
    }
}

TEST(ListPage, AFirstPageKeepsNumbersOfItsList) {
    for (const ListGeometry& geometry : geometries()) {
        OwnPage page;
        EXPECT_EQ(whole_until(page.bytes.get()), 0u);
        EXPECT_EQ(insert_place(page.bytes.get()).block, kNoBlock);
        set_list_level(page.bytes.get(), 1);
        set_insert_place(page.bytes.get(), {.block = 0xfffffff0, .position = 12345});
        set_whole_until(page.bytes.get(), 70000);
        std::mt19937_64 random(4);
        TestEntry entry(geometry, random);
        write_entry(geometry, page.bytes.get(), 0, entry.encoded);
        EXPECT_EQ(list_level(page.bytes.get()), 1u);
        EXPECT_EQ(insert_place(page.bytes.get()).block, 0xfffffff0u);
        EXPECT_EQ(insert_place(page.bytes.get()).position, 12345u);
        EXPECT_EQ(whole_until(page.bytes.get()), 70000u);
        expect_entry(geometry, page.bytes.get(), 0, entry);
    }
}

TEST(ListPage, OneAttributeChangesAndNothingElse) {
    std::mt19937_64 random(5);
    const AttributeWidths widths{.count = 2, .width = {4, 8}};
    for (const ListGeometry& geometry :
         {list_geometry(Metric::kL2, 128, Refine::kInt8, 1),
          list_geometry(Metric::kHamming, 512, Refine::kNone, 1),
          list_geometry(Metric::kL2, 128, Refine::kInt8, 0, widths)}) {
        OwnPage page;
        std::vector<TestEntry> entries;
        std::vector<AttributeKeys> keys(geometry.max_entries);
        for (uint32_t i = 0; i < geometry.max_entries; ++i) {
            entries.emplace_back(geometry, random);
            entries.back().encoded.code = entries.back().code.data();
            keys[i].widths = geometry.attributes;
            for (uint32_t k = 0; k < geometry.attributes.count; ++k)
                keys[i].keys[k] = geometry.attributes.width[k] == 4 ? random() >> 32 : random();
            keys[i].nulls = i % 3;
            EncodedEntry encoded = entries.back().encoded;
            encoded.attributes = &keys[i];
            write_entry(geometry, page.bytes.get(), i, encoded);
        }
        for (int round = 0; round < 500; ++round) {
            const auto index = static_cast<uint32_t>(random() % geometry.max_entries);
            const auto attribute = static_cast<uint32_t>(random() % geometry.attributes.count);
            const uint64_t key =
                geometry.attributes.width[attribute] == 4 ? random() >> 32 : random();
            set_attribute(geometry, page.bytes.get(), index, attribute, key);
            keys[index].keys[attribute] = key;
            keys[index].nulls &= ~(1u << attribute);
        }
        EXPECT_EQ(list_page_fault(geometry, page.bytes.get()) == nullptr, geometry.codes_inside);
        const ListPageView view(geometry, page.bytes.get());
        for (uint32_t i = 0; i < geometry.max_entries; ++i) {
            expect_entry(geometry, page.bytes.get(), i, entries[i]);
            const AttributeKeys read = read_attributes(view, i);
            EXPECT_EQ(read.nulls, keys[i].nulls);
            for (uint32_t k = 0; k < geometry.attributes.count; ++k)
                EXPECT_EQ(read.keys[k], read.nulls >> k & 1 ? 0 : keys[i].keys[k]);
        }
    }
}

TEST(ListPage, AnEntryChangesNothingBesideItsParts) {
    std::mt19937_64 random(6);
    std::vector<ListGeometry> all = geometries();
    all.push_back(list_geometry(Metric::kL2, 128, Refine::kFloat, 1));
    all.push_back(
        list_geometry(Metric::kL2, 128, Refine::kInt8, 0, {.count = 3, .width = {4, 8, 4}}));
    for (const ListGeometry& geometry : all) {
        OwnPage page;
        AttributeKeys keys{.widths = geometry.attributes, .keys = {}, .nulls = 0};
        for (uint32_t i = 0; i < geometry.max_entries; ++i) {
            TestEntry entry(geometry, random);
            for (uint64_t& key : keys.keys)
                key = random();
            keys.nulls = static_cast<uint32_t>(random());
            entry.encoded.attributes = &keys;
            std::vector<uint8_t> before(page.bytes.get(), page.bytes.get() + kPageBytes);
            write_entry(geometry, page.bytes.get(), i, entry.encoded);
            for (const PagePart& part : entry_parts(geometry, i)) {
                ASSERT_LE(part.offset + part.length, kPageHeaderBytes + kBodyBytes);
                std::memcpy(before.data() + part.offset, page.bytes.get() + part.offset,
                            part.length);
            }
            ASSERT_EQ(std::memcmp(before.data(), page.bytes.get(), kPageBytes), 0) << i;
        }
    }
}

TEST(ListPage, ListsComeAndGo) {
    const AttributeKeys keys = list_keys(3, 8);
    EXPECT_EQ(keys.widths.count, 3u);
    EXPECT_EQ(keys.nulls, 0u);
    EXPECT_EQ(keys.keys[kRetiredXid], 0u);
    for (uint32_t version = 0; version < 12; ++version)
        EXPECT_EQ(is_in_tree(keys, version), version >= 3 && version < 8) << version;
    EXPECT_TRUE(is_in_tree(list_keys(0, kInTree), 0));
    EXPECT_TRUE(is_in_tree(list_keys(0, kInTree), kInTree - 1));
    // Came and went at once: nobody ever sees it.
    EXPECT_FALSE(is_in_tree(list_keys(4, 4), 4));
}

// What list_page_fault() lets pass may be read without leaving the page.
TEST(ListPage, ReadsHostileBytesWithinThePage) {
    std::mt19937_64 random(3);
    int passed = 0;
    for (int round = 0; round < 2000; ++round) {
        for (const ListGeometry& geometry : geometries()) {
            OwnPage page;
            uint8_t* body = page_body(page.bytes.get());
            for (uint32_t i = 0; i < kBodyBytes; i += 8) {
                const uint64_t value = random();
                std::memcpy(body + i, &value, 8);
            }
            auto* header = reinterpret_cast<ListHeader*>(body);
            if (round % 2 == 0) {
                header->block_count =
                    static_cast<uint16_t>(header->block_count % (geometry.max_blocks + 2));
            }
            if (list_page_fault(geometry, page.bytes.get()) != nullptr) continue;
            ++passed;
            const ListPageView view(geometry, page.bytes.get());
            const uint32_t entries = view.entry_places();
            ASSERT_LE(view.live_count(), entries);
            const std::optional<uint32_t> free = view.free_index();
            ASSERT_LT(free.value_or(0), geometry.max_entries);
            uint64_t sum = 0;
            for (uint32_t i = 0; i < entries; ++i)
                sum += view.pointer(i).block() + view.is_live(i);
            for (uint32_t i = 0; i < geometry.max_refine_pages; ++i)
                sum += view.refine_pages()[i];
            if (entries > 0 && geometry.codes_inside) {
                const uint32_t last = view.header().block_count - 1;
                sum += code_of(geometry, view.codes(last), 31).size();
            }
            ASSERT_NE(sum, 1u);
        }
    }
    EXPECT_GT(passed, 1000);
}

}  // namespace
}  // namespace lookalike

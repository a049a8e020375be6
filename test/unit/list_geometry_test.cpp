#include "core/page/list_geometry.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "core/code/index_space.h"

namespace lookalike {
namespace {

struct Shape {
    Metric metric;
    uint32_t dims;
    Refine refine;
    uint32_t level;
};

ListGeometry geometry_of(const Shape& shape) {
    const uint32_t code_dims =
        is_binary(shape.metric) ? shape.dims : IndexSpace::padded_dims(shape.dims);
    return list_geometry(shape.metric, code_dims, shape.refine, shape.level);
}

std::vector<uint32_t> sampled_dims(uint32_t most) {
    std::vector<uint32_t> dims;
    for (uint32_t d = 1; d < most; d += 1 + d / 16)
        dims.push_back(d);
    dims.push_back(most);
    return dims;
}

std::vector<Shape> all_shapes() {
    std::vector<Shape> shapes;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
        for (const uint32_t dims : sampled_dims(kMaxDims))
            for (uint32_t refine = 0; refine < kRefineCount; ++refine)
                for (const uint32_t level : {0u, 1u})
                    shapes.push_back({metric, dims, static_cast<Refine>(refine), level});
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard})
        for (const uint32_t dims : sampled_dims(kMaxBitDims))
            for (const uint32_t level : {0u, 1u})
                shapes.push_back({metric, dims, Refine::kNone, level});
    return shapes;
}

/// Calls `check` with each geometry, and says of which shape it was when it fails.
template <class Check>
void for_all_geometries(Check check) {
    for (const Shape& shape : all_shapes()) {
        SCOPED_TRACE("metric " + std::to_string(static_cast<int>(shape.metric)) + " dims " +
                     std::to_string(shape.dims) + " refine " +
                     std::to_string(static_cast<int>(shape.refine)) + " level " +
                     std::to_string(shape.level));
        check(geometry_of(shape));
        if (testing::Test::HasFailure()) return;
    }
    check(plain_list_geometry());
}

TEST(ListGeometry, ListPageHoldsItsLinksAndBlocks) {
    for_all_geometries([](const ListGeometry& geometry) {
        ASSERT_GE(geometry.max_blocks, 1u);
        ASSERT_LE(geometry.max_entries, geometry.max_blocks * kBlockEntries);
        ASSERT_GT(geometry.max_entries, (geometry.max_blocks - 1) * kBlockEntries);
        const uint32_t columns = geometry.factor_bytes + 4;
        EXPECT_EQ(geometry.block_bytes,
                  columns + (geometry.codes_inside ? geometry.block_code_bytes : 0));
        EXPECT_LE(geometry.blocks_offset() + geometry.max_blocks * geometry.block_bytes +
                      geometry.max_entries * sizeof(EntryPointer),
                  kBodyBytes);
        // Floats and live masks are read in place; ids of a scan keep 16 bits for the index.
        EXPECT_EQ(geometry.blocks_offset() % 4, 0u);
        EXPECT_EQ(geometry.block_bytes % 4, 0u);
        EXPECT_LE(geometry.max_entries, 1u << 16);
    });
}

TEST(ListGeometry, SlotsFollowEachOtherWithinTheirPages) {
    for_all_geometries([](const ListGeometry& geometry) {
        if (geometry.slot_bytes == 0) {
            EXPECT_EQ(geometry.max_refine_pages, 0u);
            return;
        }
        uint64_t free_from = 0;
        for (uint32_t index = 0; index < geometry.max_entries; ++index) {
            const StreamPlace place = geometry.slot_place(index);
            EXPECT_LT(place.offset, kBodyBytes);
            const uint64_t start = uint64_t{place.page_index} * kBodyBytes + place.offset;
            EXPECT_GE(start, free_from);
            free_from = start + geometry.slot_bytes;
            if (geometry.slots_per_page > 0) {
                EXPECT_LE(place.offset + geometry.slot_bytes, kBodyBytes);
            }
            const uint64_t pages = (free_from + kBodyBytes - 1) / kBodyBytes;
            EXPECT_EQ(geometry.refine_pages_for(index + 1), pages);
        }
        EXPECT_EQ(geometry.refine_pages_for(geometry.max_entries), geometry.max_refine_pages);
    });
}

TEST(ListGeometry, CodesFollowEachOtherWithinTheirPages) {
    for_all_geometries([](const ListGeometry& geometry) {
        if (geometry.codes_inside) {
            EXPECT_EQ(geometry.max_code_pages, 0u);
            return;
        }
        uint64_t free_from = 0;
        for (uint32_t block = 0; block < geometry.max_blocks; ++block) {
            const StreamPlace place = geometry.code_place(block);
            EXPECT_EQ(uint64_t{place.page_index} * kBodyBytes + place.offset, free_from);
            free_from += geometry.block_code_bytes;
            const uint64_t pages = (free_from + kBodyBytes - 1) / kBodyBytes;
            EXPECT_EQ(geometry.code_pages_for(block * kBlockEntries + 1), pages);
            EXPECT_EQ(geometry.code_pages_for((block + 1) * kBlockEntries), pages);
        }
        EXPECT_EQ(geometry.code_pages_for(geometry.max_entries), geometry.max_code_pages);
    });
}

TEST(ListGeometry, InnerListsKeepFloats) {
    const ListGeometry geometry = geometry_of({Metric::kL2, 128, Refine::kNone, 1});
    EXPECT_EQ(geometry.slot_bytes, sizeof(RefineSlotHeader) + sizeof(RefineHeader) + 128 * 4);
    EXPECT_EQ(geometry_of({Metric::kL2, 128, Refine::kNone, 0}).slot_bytes, 0u);
    EXPECT_EQ(geometry_of({Metric::kHamming, 128, Refine::kInt8, 1}).slot_bytes, 0u);
}

TEST(ListGeometry, PlainListsHoldPointersOnly) {
    const ListGeometry geometry = plain_list_geometry();
    EXPECT_TRUE(geometry.codes_inside);
    EXPECT_EQ(geometry.block_bytes, 4u);
    EXPECT_EQ(geometry.max_blocks, 41u);
}

double bytes_per_entry(const ListGeometry& geometry) {
    const double pages = 1.0 + geometry.max_code_pages + geometry.max_refine_pages;
    return pages * kPageBytes / geometry.max_entries;
}

double used_bytes_per_entry(const ListGeometry& geometry) {
    return geometry.row_code_bytes + geometry.factor_bytes / 32.0 + sizeof(EntryPointer) +
           4 / 32.0 + geometry.slot_bytes;
}

// Prints the table of docs/INDEX_FORMAT.md, and holds full pages to a floor.
TEST(ListGeometry, WastesLittle) {
    std::vector<Shape> shapes;
    for (const uint32_t dims : {128u, 768u, 1280u, 2048u, 4096u, 16000u})
        for (const Refine refine : {Refine::kInt8, Refine::kHalf, Refine::kFloat, Refine::kNone})
            shapes.push_back({Metric::kL2, dims, refine, 0});
    for (const uint32_t dims : {64u, 256u, 1024u, 4096u, 16000u, 64000u})
        shapes.push_back({Metric::kHamming, dims, Refine::kNone, 0});
    const char* const refines[] = {"int8", "half", "float", "none"};
    std::printf(
        "| dims | refine | codes | entries | code pages | refine pages | bytes an entry |"
        " unused |\n");
    for (const Shape& shape : shapes) {
        const ListGeometry geometry = geometry_of(shape);
        const double unused = 1 - used_bytes_per_entry(geometry) / bytes_per_entry(geometry);
        std::printf("| %u | %s | %s | %u | %u | %u | %.0f | %.1f %% |\n", shape.dims,
                    is_binary(shape.metric) ? "(bits)" : refines[static_cast<int>(shape.refine)],
                    geometry.codes_inside ? "inside" : "outside", geometry.max_entries,
                    geometry.max_code_pages, geometry.max_refine_pages, bytes_per_entry(geometry),
                    100 * unused);
        EXPECT_LT(unused, shape.dims == 128 || shape.refine != Refine::kNone ? 0.2 : 0.4);
        EXPECT_GT(unused, 0);
    }
}

}  // namespace
}  // namespace lookalike

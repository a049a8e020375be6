#include "core/code/block_scorer.h"

#include <cmath>

#include "each_target.h"
#include "memory_index.h"

namespace lookalike {
namespace {

TEST(BlockScorer, GivesExactKeysOfBits) {
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
        for (const uint32_t dims : {1u, 7u, 64u, 65u, 500u}) {
            MemoryIndex index({metric, dims, Refine::kNone, 32, 1});
            const ListGeometry geometry = index.geometry(0);
            const ListPageView page(geometry, index.store.page(index.lists()[0]));
            const DescriptorView query = index.row(4);
            on_each_target([&] {
                float bounds[kBlockEntries];
                const uint32_t near = index.scorer(query)->score(geometry, page.codes(0),
                                                                 page.columns(0), {}, 0.5f, bounds);
                for (uint32_t row = 0; row < 32; ++row) {
                    const double distance = index.distance(row, query);
                    EXPECT_EQ(bounds[row], metric == Metric::kHamming ? static_cast<float>(distance)
                                                                      : round_down(distance));
                    EXPECT_EQ(near >> row & 1, bounds[row] <= 0.5f);
                }
            });
        }
    }
}

TEST(BlockScorer, BoundsMostKeysFromBelow) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
        MemoryIndex index({metric, 128, Refine::kInt8, 1024, 1});
        const ListGeometry geometry = index.geometry(0);
        const DescriptorView query = index.row(4);
        const std::unique_ptr<BlockScorer> scorer = index.scorer(query);
        EXPECT_EQ(scorer->metric(), metric);
        uint32_t below = 0;
        for (uint32_t block = index.lists()[0]; block != kNoBlock;
             block = page_trailer(index.store.page(block))->next) {
            const ListPageView page(geometry, index.store.page(block));
            for (uint32_t i = 0; i < page.header().block_count; ++i) {
                float bounds[kBlockEntries];
                scorer->score(geometry, page.codes(i), page.columns(i), scorer->root_terms(), 0,
                              bounds);
                for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
                    const uint32_t entry = i * kBlockEntries + lane;
                    if (!page.is_live(entry)) continue;
                    const uint32_t row = MemoryIndex::row_of(page.pointer(entry));
                    below +=
                        key_to_distance(metric, bounds[lane]) <= index.distance(row, query) + 1e-6;
                }
            }
        }
        EXPECT_GT(below, 1024 * 93 / 100);
        EXPECT_LT(below, 1024u);  // it would be no use if it never erred
    }
}

}  // namespace
}  // namespace lookalike

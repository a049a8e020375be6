#include "core/cluster/kmeans_budget.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

constexpr uint64_t kMegabyte = 1024 * 1024;

TEST(KmeansBudget, SamplesWhatIsWorthIt) {
    const KmeansBudget budget(4096 * kMegabyte, 1000000, 128);
    EXPECT_EQ(budget.sample_rows(1000000, 1000), 256000u);
    EXPECT_EQ(budget.sample_rows(1000000, 5), kSampleOfFewClusters);
    EXPECT_EQ(budget.sample_rows(3000, 1000), 3000u);
    EXPECT_EQ(budget.sample_rows(1000000, 1000000), 1000000u);
}

TEST(KmeansBudget, SamplesWhatFits) {
    const KmeansBudget budget(64 * kMegabyte, 1000000, 128);
    const uint64_t rows = budget.sample_rows(1000000, 1000);
    EXPECT_GT(rows, 50000u);
    EXPECT_LT(rows, 70000u);
}

TEST(KmeansBudget, LeastBytesAreEnough) {
    for (const uint32_t dims : {1u, 128u, 64000u}) {
        for (const uint64_t rows : {uint64_t{10}, uint64_t{100000}, uint64_t{20000000}}) {
            for (const uint64_t clusters : {2, 1000, 100000}) {
                const KmeansBudget small(kMegabyte, rows, dims);
                EXPECT_EQ(small.sample_rows(rows, clusters), 0u);
                const uint64_t bytes = small.least_bytes(rows, clusters);
                EXPECT_GT(KmeansBudget(bytes, rows, dims).sample_rows(rows, clusters), 0u);
                EXPECT_GE(KmeansBudget(bytes, rows, dims).batch_rows(), 1u);
            }
        }
    }
}

}  // namespace
}  // namespace lookalike

#include "core/code/scan_kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "each_target.h"

namespace lookalike {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes random_bytes(size_t count, std::mt19937_64& random) {
    Bytes bytes(count);
    for (uint8_t& byte : bytes)
        byte = static_cast<uint8_t>(random());
    return bytes;
}

/// A block with its entries' signs, laid out by set_code.
struct Block {
    size_t group_count;
    std::vector<Bytes> signs;
    Bytes codes;

    Block(size_t groups, std::mt19937_64& random) : group_count(groups) {
        codes = random_bytes(groups * kGroupBytes, random);
        for (size_t entry = 0; entry < kBlockEntries; ++entry) {
            signs.push_back(random_bytes(groups / 2, random));
            set_code(codes.data(), entry, signs.back().data(), groups);
        }
    }

    uint32_t expected_sum(const Bytes& table, size_t entry) const {
        uint32_t sum = 0;
        for (size_t group = 0; group < group_count; ++group) {
            const unsigned nibble = (signs[entry][group / 2] >> (group % 2 * 4)) & 15u;
            sum += table[16 * group + nibble];
        }
        return sum;
    }
};

TEST(ScanKernel, CodesComeBackAsTheyWereSet) {
    std::mt19937_64 random(1);
    const Block block(32, random);
    for (size_t entry = 0; entry < kBlockEntries; ++entry) {
        Bytes signs(16, 0xff);
        get_code(block.codes.data(), entry, signs.data(), 32);
        EXPECT_EQ(signs, block.signs[entry]) << entry;
    }
}

TEST(ScanKernel, LayoutIsWhatTheHeaderSays) {
    Bytes codes(kGroupBytes * 2);
    const uint8_t signs = 0x2 | 0x40;  // dimensions 1 and 6
    set_code(codes.data(), 9, &signs, 2);
    EXPECT_EQ(codes[3], 0x02);
    EXPECT_EQ(codes[16 + 3], 0x04);
    set_code(codes.data(), 31, &signs, 2);
    EXPECT_EQ(codes[15], 0x20);
}

class ScanKernelOfGroups : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Groups, ScanKernelOfGroups,
                         testing::Values(16, 32, 208, 256, 272, 512, 4000));

TEST_P(ScanKernelOfGroups, SumsAreExact) {
    std::mt19937_64 random(GetParam());
    const Block block(GetParam(), random);
    Bytes table = random_bytes(16 * GetParam(), random);
    // With these a bound is the sum itself, which a float holds exactly.
    const std::vector<float> zeros(kBlockEntries);
    const std::vector<float> minus_ones(kBlockEntries, -1);
    const ScanColumns column{zeros.data(), minus_ones.data(), zeros.data()};
    const ScanTerms terms{.list_term = 0, .gain = 0, .offset = 0, .step = 1};
    for (const bool all_largest : {false, true}) {
        if (all_largest) std::fill(table.begin(), table.end(), uint8_t{255});
        on_each_target([&] {
            float sums[kBlockEntries];
            scan_block(table.data(), block.codes.data(), GetParam(), column, terms, 0, sums);
            for (size_t entry = 0; entry < kBlockEntries; ++entry)
                EXPECT_EQ(sums[entry], block.expected_sum(table, entry)) << entry;
        });
    }
}

TEST_P(ScanKernelOfGroups, BoundsFollowTheFormula) {
    const size_t groups = GetParam();
    std::mt19937_64 random(groups);
    std::uniform_real_distribution<float> uniform(0, 1);
    const Block block(groups, random);
    const Bytes table = random_bytes(16 * groups, random);
    std::vector<float> columns(3 * kBlockEntries);
    for (float& value : columns)
        value = uniform(random);
    const ScanColumns column{&columns[0], &columns[32], &columns[64]};
    const ScanTerms terms{.list_term = 3, .gain = 0.7f, .offset = -40, .step = 0.02f};
    on_each_target([&] {
        float bounds[kBlockEntries];
        const uint32_t near =
            scan_block(table.data(), block.codes.data(), groups, column, terms, 10, bounds);
        for (size_t entry = 0; entry < kBlockEntries; ++entry) {
            const double product = -40 + 0.02 * block.expected_sum(table, entry);
            const double expected =
                columns[entry] + 3 - columns[32 + entry] * product - columns[64 + entry] * 0.7;
            EXPECT_NEAR(bounds[entry], expected, 1e-5 * (50 + std::abs(product))) << entry;
            EXPECT_EQ(near >> entry & 1, bounds[entry] <= 10) << entry;
        }
        EXPECT_EQ(up_to(bounds, 10), near);
        bounds[7] = std::numeric_limits<float>::quiet_NaN();
        EXPECT_EQ(up_to(bounds, 10), near | 1u << 7);
    });
}

TEST(ScanKernel, TableEntriesFollowTheFormula) {
    std::mt19937_64 random(3);
    std::normal_distribution<float> normal;
    for (const float per_unit : {0.0f, 1.0f, 30.0f, 60.0f}) {
        std::vector<float> query(4 * 32);
        for (float& element : query)
            element = normal(random);
        std::fill_n(query.begin() + 8, 4, 0.0f);
        Bytes expected;
        for (size_t group = 0; group < query.size(); group += 4) {
            const float* q = query.data() + group;
            const float reach =
                std::fabs(q[0]) + std::fabs(q[1]) + std::fabs(q[2]) + std::fabs(q[3]);
            for (unsigned nibble = 0; nibble < 16; ++nibble) {
                const float sum = (nibble & 1 ? q[0] : -q[0]) + (nibble & 2 ? q[1] : -q[1]) +
                                  (nibble & 4 ? q[2] : -q[2]) + (nibble & 8 ? q[3] : -q[3]);
                const float rounded = (sum + reach) * per_unit + 0.5f;
                expected.push_back(static_cast<uint8_t>(std::clamp(rounded, 0.0f, 255.0f)));
            }
        }
        on_each_target([&] {
            Bytes table(expected.size());
            fill_scan_table(query.data(), query.size() / 4, per_unit, table.data());
            EXPECT_EQ(table, expected);
        });
    }
}

TEST(ScanKernel, BitCountsAreExactInOneGoAndInSlices) {
    std::mt19937_64 random(2);
    for (const size_t bytes : {1u, 7u, 8u, 32u, 100u, 8000u}) {
        const size_t stride = bytes + 3;
        const Bytes rows = random_bytes(kBlockEntries * stride, random);
        const Bytes query = random_bytes(bytes, random);
        on_each_target([&] {
            uint32_t different[kBlockEntries] = {};
            uint32_t both[kBlockEntries] = {};
            uint32_t only_different[kBlockEntries] = {};
            const size_t first = bytes / 3;
            add_bit_counts(query.data(), rows.data(), stride, first, different, both);
            add_bit_counts(query.data() + first, rows.data() + first, stride, bytes - first,
                           different, both);
            add_bit_counts(query.data(), rows.data(), stride, bytes, only_different, nullptr);
            for (size_t entry = 0; entry < kBlockEntries; ++entry) {
                uint32_t expected_different = 0;
                uint32_t expected_both = 0;
                for (size_t i = 0; i < bytes; ++i) {
                    const unsigned row = rows[entry * stride + i];
                    expected_different += static_cast<uint32_t>(std::popcount(row ^ query[i]));
                    expected_both += static_cast<uint32_t>(std::popcount(row & query[i]));
                }
                EXPECT_EQ(different[entry], expected_different);
                EXPECT_EQ(only_different[entry], expected_different);
                EXPECT_EQ(both[entry], expected_both);
            }
        });
    }
}

TEST(ScanKernel, JaccardKeyIsNeverAboveTheDistance) {
    EXPECT_EQ(jaccard_key(0, 0), 1);
    EXPECT_EQ(jaccard_key(0, 5), 1);
    EXPECT_EQ(jaccard_key(5, 0), 0);
    EXPECT_EQ(jaccard_key(1, 1), 0.5f);
    for (uint32_t both = 1; both < 300; ++both)
        for (uint32_t different = 0; different < 300; ++different) {
            const double exact = 1 - static_cast<double>(both) / (both + different);
            EXPECT_LE(jaccard_key(both, different), exact);
            EXPECT_NEAR(jaccard_key(both, different), exact, 1e-7);
        }
}

}  // namespace
}  // namespace lookalike

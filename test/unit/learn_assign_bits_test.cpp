// As in bit_kernel.cpp: the list of targets must be the same.
#define HWY_WANT_AVX3_DL
#include "learn/assign_bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "core/vector/signs.h"
#include "each_target.h"
#include "learn/assign.h"

namespace lookalike {
namespace {

struct BitRows {
    std::vector<uint64_t> words;
    size_t dims;

    size_t count() const { return words.size() / bit_row_words(dims); }
    BitRowsView view() const { return {words.data(), count(), dims}; }
    const uint8_t* bytes(size_t row) const {
        return reinterpret_cast<const uint8_t*>(view().row(row));
    }
};

BitRows random_rows(size_t count, size_t dims, unsigned seed) {
    std::mt19937_64 random(seed);
    BitRows rows{std::vector<uint64_t>(count * bit_row_words(dims)), dims};
    for (size_t row = 0; row < count; ++row) {
        auto* bytes = reinterpret_cast<uint8_t*>(&rows.words[row * bit_row_words(dims)]);
        for (size_t i = 0; i < dims; ++i)
            if (random() & 1) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | 0x80 >> i % 8);
    }
    return rows;
}

uint32_t different_bits(const BitRows& a, size_t row, const BitRows& b, size_t list) {
    int count = 0;
    for (size_t word = 0; word < bit_row_words(a.dims); ++word)
        count += std::popcount(a.view().row(row)[word] ^ b.view().row(list)[word]);
    return static_cast<uint32_t>(count);
}

struct Assignment {
    std::vector<uint32_t> list_ids;
    std::vector<float> distances;
};

Assignment assign(const BitRows& rows, const BitRows& centroids) {
    Assignment found{std::vector<uint32_t>(rows.count(), ~0u),
                     std::vector<float>(rows.count(), -1)};
    BitAssigner(centroids.view()).assign(rows.view(), found.list_ids, found.distances);
    return found;
}

void expect_nearest(const BitRows& rows, const BitRows& centroids) {
    const Assignment found = assign(rows, centroids);
    for (size_t row = 0; row < rows.count(); ++row) {
        uint32_t nearest = 0;
        uint32_t least = ~0u;
        for (uint32_t list = 0; list < centroids.count(); ++list) {
            const uint32_t distance = different_bits(rows, row, centroids, list);
            if (distance < least) nearest = list;
            least = std::min(least, distance);
        }
        ASSERT_EQ(found.list_ids[row], nearest) << "row " << row << ", " << rows.dims << " bits";
        ASSERT_EQ(found.distances[row], static_cast<float>(least)) << "row " << row;
    }
}

TEST(BitAssigner, EqualsBruteForce) {
    on_each_target([] {
        for (const size_t dims : {1, 7, 64, 70, 256, 1000, 64000}) {
            const bool is_long = dims > 1000;
            for (const size_t list_count : {1, 2, 15, 16, 17, 100, 1500}) {
                if (is_long && list_count > 100) continue;
                expect_nearest(random_rows(is_long ? 6 : 301, dims, 1),
                               random_rows(list_count, dims, 2));
            }
        }
    });
}

// More lists than a tile has places, the farthest in another tile than the nearest.
TEST(BitAssigner, FindsListsBehindManyOthers) {
    on_each_target([] {
        const BitRows centroids = random_rows(200'000, 64, 2);
        BitRows rows = random_rows(1, 64, 3);
        rows.words = {centroids.words[0], centroids.words[65'535], centroids.words[65'536],
                      centroids.words[70'001], centroids.words[199'999]};
        EXPECT_EQ(assign(rows, centroids).list_ids,
                  (std::vector<uint32_t>{0, 65'535, 65'536, 70'001, 199'999}));
    });
}

TEST(BitAssigner, AllBitsMayDiffer) {
    on_each_target([] {
        const size_t words = bit_row_words(kMaxBitDims);
        const BitRows ones{std::vector<uint64_t>(words * 3, ~uint64_t{0}), kMaxBitDims};
        const BitRows zeros{std::vector<uint64_t>(words * 20), kMaxBitDims};
        const Assignment found = assign(ones, zeros);
        EXPECT_EQ(found.list_ids, std::vector<uint32_t>(3, 0));
        EXPECT_EQ(found.distances, std::vector<float>(3, kMaxBitDims));
    });
}

TEST(BitAssigner, OfEquallyNearListsTakesTheFirst) {
    on_each_target([] {
        BitRows centroids = random_rows(1, 128, 1);
        const BitRows rows = random_rows(5, 128, 2);
        for (int doubled = 0; doubled < 13; ++doubled)
            centroids.words.insert(centroids.words.end(), centroids.words.begin(),
                                   centroids.words.end());
        EXPECT_EQ(assign(rows, centroids).list_ids, std::vector<uint32_t>(5, 0));
    });
}

// What BLAS says of bits as floats is exact, so an index does not depend on who assigned its rows.
TEST(BitAssigner, AgreesWithFloats) {
    for (const uint32_t dims : {9u, 256u}) {
        const BitRows rows = random_rows(3000, dims, 1);
        const BitRows centroids = random_rows(700, dims, 2);
        const auto as_signs = [&](const BitRows& bits) {
            std::vector<float> signs(bits.count() * dims);
            for (size_t row = 0; row < bits.count(); ++row)
                bits_to_signs(bits.bytes(row), dims, &signs[row * dims]);
            return signs;
        };
        const std::vector<float> signs = as_signs(rows);
        std::vector<uint32_t> list_ids(rows.count());
        std::vector<float> distances(rows.count());
        Assigner(as_signs(centroids), dims)
            .assign({signs.data(), rows.count(), dims}, list_ids, distances);
        const Assignment found = assign(rows, centroids);
        EXPECT_EQ(found.list_ids, list_ids) << dims;
        for (size_t row = 0; row < rows.count(); ++row)
            ASSERT_EQ(found.distances[row] * 4, distances[row]);
    }
}

TEST(BitAssigner, ZeroRowsAreNoError) {
    const BitRows centroids = random_rows(3, 10, 1);
    BitAssigner(centroids.view()).assign({nullptr, 0, 10}, {}, {});
}

}  // namespace
}  // namespace lookalike

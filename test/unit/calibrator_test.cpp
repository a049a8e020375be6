#include "core/measure/calibrator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "core/search/probe_plan.h"
#include "core/vector/distance_kernels.h"
#include "core/vector/signs.h"
#include "measured_noise.h"

namespace lookalike {
namespace {

constexpr uint32_t kDims = kNoiseDims;

void round_to_bits(std::vector<float>& vector) {
    for (float& x : vector)
        x = x > 0 ? 1 : -1;
}

TEST(Calibrator, MoreRecallOrMoreRowsNeverTakesFewerLists) {
    const Calibration calibration = measure_noise();
    EXPECT_EQ(calibration.query_count, 50u);
    EXPECT_EQ(calibration.row_count, 4000u);
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
            EXPECT_GE(calibration.probes[i][j], 1u);
            EXPECT_LE(calibration.probes[i][j], 40u);
            const uint32_t before = j > 0 ? calibration.probes[i][j - 1] : 0;
            EXPECT_GE(calibration.probes[i][j], before);
        }
    }
    EXPECT_GT(calibration.probes[0][3], 3u);  // noise is hard
    EXPECT_LT(calibration.probes[0][0], calibration.probes[0][7]);
    EXPECT_GE(calibration.probes[2][3], calibration.probes[0][3]);
}

TEST(Calibrator, ASeparatedQueryTakesOneList) {
    Calibrator calibrator(Metric::kL2, 1);
    std::vector<float> centroids;
    for (int list = 0; list < 10; ++list)
        centroids.push_back(static_cast<float>(list) * 1000);
    const float query = 3000.5f;
    calibrator.add_query(&query);
    calibrator.set_lists(centroids, 10);
    for (uint32_t list = 0; list < 10; ++list) {
        for (int i = 0; i < 20; ++i) {
            const float row = centroids[list] + static_cast<float>(i);
            calibrator.observe(&row, list);
        }
    }
    const Calibration calibration = calibrator.measure();
    EXPECT_EQ(calibration.probes[0][kCalibratedRecallCounts - 1], 1u);
    EXPECT_EQ(calibration.probes[1][kCalibratedRecallCounts - 1],
              5u);  // 20 rows in each
}

// Where a filter leaves the farther half of the lists, all about equally far, the ten best of many
// rows are much nearer than their centroids: by the reach nineteen of twenty must be found.
TEST(Calibrator, TheReachFindsRowsOfAFarRegion) {
    constexpr uint32_t kLists = 40;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        std::mt19937 random(8);
        std::vector<std::vector<float>> rows;
        std::vector<float> centroids;
        for (uint32_t i = 0; i < kLists * 100; ++i) {
            rows.push_back(random_vector(random));
            if (i % 100 == 0) {
                for (float& x : rows.back())
                    x *= 2;
                centroids.insert(centroids.end(), rows.back().begin(), rows.back().end());
            } else {
                for (uint32_t d = 0; d < kDims; ++d)
                    rows[i][d] = rows[i / 100 * 100][d] + rows[i][d] / 2;
            }
        }
        const auto key = [metric](const float* query, const float* row) {
            return metric == Metric::kL2 ? l2_squared(query, row, kDims) : -dot(query, row, kDims);
        };
        Calibrator calibrator(metric, kDims);
        for (size_t query = 0; query < rows.size(); query += 50)
            calibrator.add_query(rows[query].data());
        calibrator.set_lists(centroids, kLists);
        for (uint32_t i = 0; i < rows.size(); ++i)
            calibrator.observe(rows[i].data(), i / 100);
        const Calibration calibration = calibrator.measure();
        const ProbePlan plan(calibration, 0.95);
        int wanted = 0;
        int found = 0;
        for (size_t query = 0; query < rows.size(); query += 50) {
            const float* own = rows[query].data();
            const float scale =
                metric == Metric::kInnerProduct ? 1 / std::sqrt(dot(own, own, kDims)) : 1;
            std::vector<std::pair<float, uint32_t>> lists;
            for (uint32_t list = 0; list < kLists; ++list)
                lists.emplace_back(key(rows[query].data(), &centroids[list * kDims]), list);
            std::sort(lists.begin(), lists.end());
            std::vector<std::pair<float, float>> left;  // keys of the rows and of their lists
            for (uint32_t rank = kLists / 2; rank < kLists; ++rank) {
                for (uint32_t i = 0; i < 100; ++i) {
                    const std::vector<float>& row = rows[lists[rank].second * 100 + i];
                    left.emplace_back(key(rows[query].data(), row.data()), lists[rank].first);
                }
            }
            std::partial_sort(left.begin(), left.begin() + 10, left.end());
            for (int i = 0; i < 10; ++i, ++wanted)
                found += plan.may_reach(metric, scale * left[i].second, scale * left[9].first, 1);
        }
        EXPECT_GE(found, wanted * 0.95) << int(metric);
        EXPECT_LT(calibration.reach[3], calibration.reach[7]);
    }
}

// Some queries lie in a cluster, where one list has most of what they want, and some in noise. What
// was measured must hold for other queries, and take fewer lists than the same number for all.
TEST(Calibrator, ASpreadFindsTheSameInFewerLists) {
    constexpr uint32_t kLists = 100;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kHamming}) {
        std::mt19937 random(12);
        std::vector<std::vector<float>> centroids;
        std::vector<float> flat;
        std::vector<std::vector<float>> in_list[kLists];
        const auto place = [&](uint32_t i) {
            std::vector<float> row = random_vector(random);
            for (uint32_t d = 0; d < kDims && i % 2 == 0; ++d)
                row[d] = centroids[i % kLists][d] + row[d] / 3;
            if (metric == Metric::kHamming) round_to_bits(row);
            return row;
        };
        for (uint32_t list = 0; list < kLists; ++list) {
            centroids.push_back(random_vector(random));
            if (metric == Metric::kHamming) round_to_bits(centroids.back());
            flat.insert(flat.end(), centroids[list].begin(), centroids[list].end());
        }
        Calibrator calibrator(metric, kDims);
        for (uint32_t i = 0; i < 300; ++i)
            calibrator.add_query(place(i).data());
        calibrator.set_lists(flat, kLists);
        for (uint32_t i = 0; i < 20000; ++i) {
            const std::vector<float> row = place(i);
            const auto list = static_cast<uint32_t>(nearest(centroids, row));
            in_list[list].push_back(row);
            calibrator.observe(row.data(), list);
        }
        const Calibration calibration = calibrator.measure();
        const auto key = [metric](const float* query, const float* row) {
            const float squared = l2_squared(query, row, kDims);
            return metric == Metric::kL2        ? squared
                   : metric == Metric::kHamming ? squared / 4  // bits that differ
                                                : -dot(query, row, kDims);
        };
        for (const double recall : {0.85, 0.95, 0.97}) {
            const ProbePlan plan(calibration, recall);
            const SpreadOfLists spread = plan.spread_for(1);
            EXPECT_LT(spread.first, plan.lists_for(1));
            EXPECT_GE(spread.most, plan.lists_for(1));
            double found = 0;
            double opened = 0;
            for (uint32_t q = 0; q < 300; ++q) {
                const std::vector<float> query = place(q);
                std::vector<std::pair<float, uint32_t>> lists;
                for (uint32_t list = 0; list < kLists; ++list)
                    lists.emplace_back(key(query.data(), centroids[list].data()), list);
                std::sort(lists.begin(), lists.end());
                std::vector<std::pair<float, uint32_t>> rows;  // and the ranks of their lists
                for (uint32_t rank = 0; rank < kLists; ++rank)
                    for (const std::vector<float>& row : in_list[lists[rank].second])
                        rows.emplace_back(key(query.data(), row.data()), rank);
                std::sort(rows.begin(), rows.end());
                const float scale = metric == Metric::kInnerProduct
                                        ? 1 / std::sqrt(dot(query.data(), query.data(), kDims))
                                        : 1;
                int in_first = 0;
                float tenth = 0;
                for (size_t i = 0; i < rows.size() && in_first < 10; ++i) {
                    in_first += rows[i].second < spread.first;
                    tenth = rows[i].first;
                }
                uint32_t count = static_cast<uint32_t>(spread.first);
                while (count < spread.most &&
                       plan.may_hold(metric, scale * lists[count].first, scale * tenth))
                    ++count;
                opened += count;
                for (size_t i = 0; i < 10; ++i)
                    found += rows[i].second < count;
            }
            EXPECT_GE(found / 3000, recall) << int(metric) << " " << recall;
            EXPECT_LT(opened / 300, 0.95 * plan.lists_for(1)) << int(metric) << " " << recall;
            const double told =
                spread.first + opened_share(calibration, recall) * (spread.most - spread.first);
            // Of bits, keys are a few whole numbers: a reach between two of them is the lower, and
            // of many rows that are as far as the last any may be among the nearest.
            const double off = metric == Metric::kHamming ? 0.65 : 0.15;
            EXPECT_NEAR(told, opened / 300, off * opened / 300) << int(metric) << " " << recall;
        }
    }
}

// Rows of far lists are not among the ten nearest: not to meet them changes nothing.
TEST(Calibrator, NearQueriesTellWhatFullOnesDo) {
    constexpr uint32_t kLists = 400;
    std::mt19937 random(9);
    std::vector<float> centroids;
    for (uint32_t list = 0; list < kLists; ++list) {
        for (const float x : random_vector(random))
            centroids.push_back(2 * x);
    }
    Calibrator full(Metric::kL2, kDims);
    Calibrator near(Metric::kL2, kDims);
    Calibrator both(Metric::kL2, kDims);
    std::vector<std::vector<float>> rows;
    for (uint32_t i = 0; i < kLists * 20; ++i) {
        rows.push_back(random_vector(random));
        for (uint32_t d = 0; d < kDims; ++d)
            rows[i][d] += centroids[i / 20 * kDims + d];
        if (i % 40 == 0) full.add_query(rows[i].data());
        if (i % 40 == 0) near.add_query(rows[i].data(), 0, Meets::kNearLists);
        if (i % 40 == 0)
            both.add_query(rows[i].data(), 0, i % 120 ? Meets::kNearLists : Meets::kAllRows);
    }
    for (Calibrator* calibrator : {&full, &near, &both}) {
        calibrator->set_lists(centroids, kLists);
        for (uint32_t i = 0; i < rows.size(); ++i)
            calibrator->observe(rows[i].data(), i / 20);
    }
    const Calibration by_full = full.measure();
    const Calibration by_near = near.measure();
    EXPECT_EQ(by_near.query_count, by_full.query_count);
    const Calibration by_both = both.measure();
    EXPECT_EQ(by_both.query_count, by_full.query_count);
    for (uint32_t i = 1; i < kCalibratedRowCounts; ++i) {
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j)
            EXPECT_GE(by_both.probes[i][j], by_both.probes[i - 1][j]);
    }
    EXPECT_EQ(by_near.residual, by_full.residual);
    EXPECT_GT(by_full.probes[0][3], 1u);
    for (uint32_t j = 0; j <= 5; ++j)
        EXPECT_EQ(by_near.probes[0][j], by_full.probes[0][j]) << j;
}

TEST(Calibrator, RowsOfBitsMayComePacked) {
    constexpr uint32_t kBits = 67;
    constexpr uint32_t kLists = 8;
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
        Calibrator by_signs(metric, kBits);
        Calibrator by_bits(metric, kBits);
        std::mt19937 random(3);
        std::vector<std::vector<float>> rows(kLists * 50, std::vector<float>(kBits));
        for (auto& row : rows) {
            for (float& x : row)
                x = random() % 3 == 0 ? 1.0f : -1.0f;
        }
        std::vector<float> centroids;
        for (uint32_t list = 0; list < kLists; ++list)
            centroids.insert(centroids.end(), rows[list].begin(), rows[list].end());
        for (Calibrator* calibrator : {&by_signs, &by_bits}) {
            for (size_t i = 0; i < rows.size(); i += 10)
                calibrator->add_query(rows[i].data());
            calibrator->set_lists(centroids, kLists);
        }
        for (size_t i = 0; i < rows.size(); ++i) {
            std::vector<uint8_t> bits(element_bytes(Kind::kBit, kBits));
            signs_to_bits(rows[i].data(), kBits, bits.data());
            by_signs.observe(rows[i].data(), static_cast<uint32_t>(i % kLists));
            const Calibrator::Row row{{nullptr, bits.data()}, static_cast<uint32_t>(i % kLists)};
            by_bits.observe({&row, 1});
        }
        const Calibration one = by_signs.measure();
        const Calibration other = by_bits.measure();
        EXPECT_GT(one.probes[0][3], 1u);
        EXPECT_EQ(std::memcmp(&one, &other, sizeof one), 0) << int(metric);
    }
}

// With the inner product a query is another vector than the row in index space.
TEST(Calibrator, QueriesMayComeInIndexSpace) {
    constexpr uint32_t kLists = 20;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
        std::mt19937 random(15);
        const std::vector<float> mean(kDims, 0.2f);
        const IndexSpace space(metric, kDims, 9, mean);
        const uint32_t floats = space.padded_dims();
        Calibrator by_rows(metric, floats);
        Calibrator in_space(metric, floats);
        std::vector<std::vector<float>> rows;
        for (int i = 0; i < 1000; ++i) {
            const std::vector<float> row = random_vector(random);
            rows.emplace_back(floats);
            space.to_space(row.data(), rows.back().data());
            if (i % 10 > 0) continue;
            const Meets meets = i % 20 == 0 ? Meets::kAllRows : Meets::kNearLists;
            by_rows.add_query(&space, row.data(), meets);
            in_space.add_query_in_space(&space, rows.back().data(), meets);
        }
        std::vector<float> centroids;
        for (uint32_t list = 0; list < kLists; ++list)
            centroids.insert(centroids.end(), rows[list].begin(), rows[list].end());
        std::vector<Calibration> measured;
        for (Calibrator* calibrator : {&by_rows, &in_space}) {
            calibrator->set_lists(centroids, kLists);
            for (size_t i = 0; i < rows.size(); ++i)
                calibrator->observe(rows[i].data(), static_cast<uint32_t>(i % kLists));
            measured.push_back(calibrator->measure());
        }
        EXPECT_EQ(measured[0].query_count, measured[1].query_count);
        EXPECT_EQ(measured[0].probes, measured[1].probes) << int(metric);
        EXPECT_NEAR(measured[0].residual, measured[1].residual, 1e-5);
        for (uint32_t i = 0; i < kCalibratedRankCount; ++i)
            EXPECT_NEAR(measured[0].rank_distance[i], measured[1].rank_distance[i], 1e-5)
                << int(metric);
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j)
            EXPECT_NEAR(measured[0].reach[j], measured[1].reach[j], 1e-5) << int(metric);
    }
}

TEST(Calibrator, WhatTakesLongCanBeEnded) {
    Calibrator calibrator(Metric::kL2, 1);
    const float rows[] = {1, 2, 3};
    for (const float& row : rows)
        calibrator.add_query(&row);
    const float centroids[] = {0, 4};
    int calls = 0;
    const auto end_at_second = [&calls] {
        if (++calls == 2) throw calls;
    };
    EXPECT_THROW(calibrator.set_lists(centroids, 2, end_at_second), int);
    EXPECT_EQ(calls, 2);
    calibrator.set_lists(centroids, 2);
    calls = 0;
    EXPECT_THROW(calibrator.measure(end_at_second), int);
    EXPECT_EQ(calls, 2);
}

TEST(Calibrator, WhatTakesLongMayBeDoneInSteps) {
    const Calibration at_once = measure_noise();
    std::vector<float> centroids;
    Calibrator calibrator = observed_noise(&centroids);
    Calibrator::Conclusion conclusion(&calibrator);
    int steps = 0;
    while (conclusion.step())
        ++steps;
    EXPECT_EQ(steps, 2 * 50);
    EXPECT_FALSE(conclusion.step());
    EXPECT_EQ(std::memcmp(&conclusion.calibration(), &at_once, sizeof at_once), 0);
}

TEST(Calibrator, BinaryAndInnerProductKeysOrderAsTheirDistances) {
    // -1 and 1 stand for bits: the query 1100 shares more of 1110 than of 0011.
    const float query[] = {1, 1, -1, -1};
    const float near[] = {1, 1, 1, -1};
    const float far[] = {-1, -1, 1, 1};
    for (const Metric metric : {Metric::kJaccard, Metric::kHamming, Metric::kInnerProduct}) {
        Calibrator calibrator(metric, 4);
        const float centroids[] = {-1, -1, 1, 1, 1, 1, 1, -1};
        calibrator.add_query(query);
        calibrator.set_lists(centroids, 2);
        for (int i = 0; i < 10; ++i) {
            calibrator.observe(far, 0);
            calibrator.observe(near, 1);
        }
        const Calibration calibration = calibrator.measure();
        EXPECT_EQ(calibration.probes[0][kCalibratedRecallCounts - 1], 1u) << int(metric);
        EXPECT_EQ(calibration.probes[1][kCalibratedRecallCounts - 1], 2u) << int(metric);
    }
}

}  // namespace
}  // namespace lookalike

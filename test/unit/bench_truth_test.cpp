#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tools/bench/dataset.h"
#include "tools/bench/ground_truth.h"

namespace lookalike {
namespace {

std::filesystem::path fresh_folder(const char* name) {
    const auto folder = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
}

// Rows on a line: row i is at i / 2, so that every distance occurs twice.
Dataset rows_on_a_line(uint32_t count) {
    Dataset set;
    set.base.dims = set.queries.dims = 2;
    for (uint32_t i = 0; i < count; ++i)
        set.base.values.insert(set.base.values.end(), {static_cast<float>(i / 2), 0});
    set.queries.values = {-1, 0, 1000, 0};
    return set;
}

TEST(GroundTruth, FindsTheNearestOfAll) {
    const Dataset set = rows_on_a_line(1400);
    const GroundTruth truth(set, fresh_folder("truth_nearest") / "cache");
    EXPECT_EQ(truth.distance(0, 1), 1);
    EXPECT_EQ(truth.distance(0, 2), 1);
    EXPECT_EQ(truth.distance(0, 3), 2);
    EXPECT_EQ(truth.distance(0, 100), 50);
    EXPECT_EQ(truth.distance(1, 1), 301);
}

TEST(GroundTruth, RecallCountsTiesAndNoRowTwice) {
    const Dataset set = rows_on_a_line(1400);
    const GroundTruth truth(set, fresh_folder("truth_recall") / "cache");
    EXPECT_EQ(truth.recall(0, {0, 1, 2}, 3), 1);
    EXPECT_EQ(truth.recall(0, {0, 1, 3}, 3), 1) << "row 3 is as near as row 2";
    EXPECT_NEAR(truth.recall(0, {0, 1, 4}, 3), 2.0 / 3, 1e-9);
    EXPECT_NEAR(truth.recall(0, {0, 0, 0}, 3), 1.0 / 3, 1e-9);
    EXPECT_NEAR(truth.recall(0, {0, 1, 999999}, 3), 2.0 / 3, 1e-9);
    EXPECT_EQ(truth.recall(0, {}, 3), 0);
}

TEST(GroundTruth, CacheIsForEquallyManyRowsOnly) {
    const auto cache = fresh_folder("truth_cache") / "cache";
    const Dataset small = rows_on_a_line(300);
    EXPECT_EQ(GroundTruth(small, cache).distance(1, 1), 1000 - 149);
    Dataset moved = rows_on_a_line(300);
    for (float& value : moved.base.values)
        value += 1;
    EXPECT_EQ(GroundTruth(moved, cache).distance(1, 1), 1000 - 149) << "from the cache";
    const Dataset large = rows_on_a_line(1400);
    EXPECT_EQ(GroundTruth(large, cache).distance(1, 1), 301);
}

TEST(Dataset, FilesKeepBytesAndFloats) {
    const auto folder = fresh_folder("dataset_files");
    Rows rows{.dims = 3, .values = {0, 1, 255, 7, 8, 9}};
    write_rows(folder / "bytes", rows, RowElement::kByte);
    EXPECT_EQ(read_rows(folder / "bytes").values, rows.values);
    EXPECT_EQ(read_rows(folder / "bytes", 1).count(), 1u);
    rows.values[4] = 0.125f;
    write_rows(folder / "floats", rows, RowElement::kFloat);
    EXPECT_EQ(read_rows(folder / "floats").values, rows.values);
    std::filesystem::resize_file(folder / "floats", 30);
    EXPECT_THROW(read_rows(folder / "floats"), std::runtime_error);
    EXPECT_THROW(read_rows(folder / "nowhere"), std::runtime_error);
}

}  // namespace
}  // namespace lookalike

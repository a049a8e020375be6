#include "core/measure/calibration_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace lookalike {
namespace {

// docs/INDEX_FORMAT.md lists the fields without their offsets: they follow from the sizes.
TEST(CalibrationRecord, LiesInThePageAsTheFormatSays) {
    EXPECT_EQ(offsetof(Calibration, probes), 8u);
    EXPECT_EQ(offsetof(Calibration, row_count), 104u);
    EXPECT_EQ(offsetof(Calibration, reach), 112u);
    EXPECT_EQ(offsetof(Calibration, reach_besides), 144u);
    EXPECT_EQ(offsetof(Calibration, residual), 176u);
    EXPECT_EQ(offsetof(Calibration, rank_distance), 184u);
    EXPECT_EQ(offsetof(Calibration, share_distance), 200u);
    EXPECT_EQ(offsetof(Calibration, reach_within), 232u);
    EXPECT_EQ(offsetof(Calibration, opened_share), 264u);
    EXPECT_EQ(sizeof(Calibration), 296u);
}

TEST(CalibrationRecord, ComesOutOfThePageAsItWentIn) {
    Calibration written{};
    written.query_count = 7;
    written.probes[2][7] = 11;
    written.reach_within[7] = -2.5f;
    MetaPage meta{};
    set_calibration(&meta, written);
    const Calibration read = calibration_of(meta);
    EXPECT_EQ(memcmp(&read, &written, sizeof read), 0);
    EXPECT_EQ(read.reach_within[7], -2.5f);
    MetaPage rest = meta;
    memset(rest.calibration, 0, sizeof written);
    const MetaPage nothing{};
    EXPECT_EQ(memcmp(&rest, &nothing, sizeof rest), 0);
}

TEST(CalibrationRecord, ReadsEvenlyInTheLogarithmOfWhatIsMissing) {
    const ByRecall<uint32_t> lists = {2, 4, 8, 12, 30, 50, 40, 100};
    for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j)
        EXPECT_DOUBLE_EQ(at_recall(lists, kCalibratedRecalls[j]), lists[j]) << j;
    // Halfway from 0.98 to 0.99, and from 0.99 to 0.995, where fewer were found to be enough.
    EXPECT_NEAR(at_recall(lists, 1 - std::sqrt(0.02 * 0.01)), 40, 1e-9);
    EXPECT_NEAR(at_recall(lists, 1 - std::sqrt(0.01 * 0.005)), 45, 1e-9);
    EXPECT_EQ(at_recall(lists, 0.01), 2);
    EXPECT_EQ(at_recall(lists, 0.9999), 100);
    EXPECT_EQ(at_recall(lists, 1), 100);
    ByRecall<float> reaches{};
    std::ranges::copy(lists, reaches.begin());
    for (double recall = 0.4; recall < 1; recall += 0.003)
        EXPECT_EQ(at_recall(reaches, recall), at_recall(lists, recall)) << recall;
}

TEST(CalibrationRecord, TellsTheMiddleWhereNothingWasMeasuredOrItCannotBe) {
    Calibration calibration{};
    EXPECT_EQ(opened_share(calibration, 0.95), 0.5);
    calibration.opened_share[4] = 0.75f;
    EXPECT_EQ(opened_share(calibration, 0.98), 0.75);
    EXPECT_EQ(opened_share(calibration, 0.5), 0);
    for (const float share : {-0.25f, 1.5f, std::nanf("")}) {
        calibration.opened_share.fill(share);
        EXPECT_EQ(opened_share(calibration, 0.95), 0.5);
    }
}

TEST(CalibrationRecord, KnowsHowManyRowsAListHad) {
    Calibration calibration{};
    EXPECT_EQ(rows_per_list(calibration), 0);
    calibration.list_count = 4;
    calibration.row_count = 10;
    EXPECT_EQ(rows_per_list(calibration), 2.5);
}

}  // namespace
}  // namespace lookalike

#include "image/local_extract.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <random>

#include "core/local/set_match.h"
#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 4'000'000};
constexpr LocalKind kKinds[] = {LocalKind::kOrb, LocalKind::kSift};

/// Boxes, discs and lines, no two pictures the same.
cv::Mat scene(int width, int height, uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](int end) {
        return static_cast<int>(random() % static_cast<uint32_t>(end));
    };
    cv::Mat image(height, width, CV_8UC3, cv::Scalar(90, 120, 140));
    const int unit = std::max(8, std::min(width, height) / 10);
    for (int i = 0; i < 150; ++i) {
        const cv::Scalar colour(below(256), below(256), below(256));
        const cv::Point at(below(width), below(height));
        const cv::Point to = at + cv::Point(below(2 * unit) - unit, below(2 * unit) - unit);
        if (i % 3 == 0) cv::rectangle(image, at, to, colour, cv::FILLED);
        if (i % 3 == 1) cv::circle(image, at, 1 + below(unit), colour, cv::FILLED);
        if (i % 3 == 2) cv::line(image, at, to, colour, 1 + below(unit / 2));
    }
    return image;
}

FileBytes scene_file(int width, int height, uint32_t seed) {
    return encoded(scene(width, height, seed), ".png");
}

/// Checked as what comes from a worker is.
std::vector<uint8_t> extracted(const FileBytes& image, const LocalExtraction& wanted) {
    std::vector<uint8_t> value = extract_local_features(image, wanted, kLimits);
    const char* fault = local_features_fault(value);
    EXPECT_EQ(fault, nullptr) << fault;
    EXPECT_LE(view_local_features(value.data()).count(), wanted.max_features);
    EXPECT_EQ(view_local_features(value.data()).kind(), wanted.kind);
    return value;
}

std::vector<uint8_t> extracted(const FileBytes& image, LocalKind kind) {
    return extracted(image, {kind, 300, false});
}

SetMatch match_of(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    return match_sets(view_local_features(a.data()), view_local_features(b.data()));
}

uint32_t count_of(const std::vector<uint8_t>& value) {
    return view_local_features(value.data()).count();
}

TEST(ImageLocalExtract, AtMostSoManyAreFound) {
    const FileBytes image = scene_file(640, 480, 1);
    for (const LocalKind kind : kKinds) {
        for (const uint32_t most : {1, 2, 20, 150})
            EXPECT_EQ(count_of(extracted(image, {kind, most, false})), most);
        EXPECT_GT(count_of(extracted(image, {kind, kMaxLocalFeatures, false})), 150u);
    }
}

TEST(ImageLocalExtract, TheSamePictureGivesTheSameBytes) {
    const FileBytes image = scene_file(500, 700, 2);
    for (const LocalKind kind : kKinds) {
        EXPECT_EQ(extracted(image, kind), extracted(image, kind));
        EXPECT_EQ(extracted(image, kind), extracted(encoded(scene(500, 700, 2), ".bmp"), kind));
    }
}

// Features crowd where a picture is rich; of each part the strongest are kept.
TEST(ImageLocalExtract, FeaturesAreSpreadOverThePicture) {
    constexpr int kScenes = 8, kCell = 80;
    std::ptrdiff_t cells[2] = {};
    for (uint32_t seed = 100; seed < 100 + kScenes; ++seed) {
        const FileBytes image = scene_file(640, 480, seed);
        for (const LocalKind kind : kKinds) {
            const auto value = extracted(image, {kind, 60, false});
            const LocalFeatures features = view_local_features(value.data());
            ASSERT_EQ(features.count(), 60u);
            std::vector<bool> is_taken(640 / kCell * 480 / kCell);
            for (uint32_t i = 0; i < features.count(); ++i) {
                const PicturePoint point = point_of(features, i);
                is_taken[static_cast<size_t>(point.y / kCell) * (640 / kCell) +
                         static_cast<size_t>(point.x / kCell)] = true;
            }
            cells[kind == LocalKind::kSift] += std::ranges::count(is_taken, true);
        }
    }
    // Of 48. The strongest alone would lie in 10 and 21, chosen so they lie in 15 and 27.
    EXPECT_GE(cells[0], 13 * kScenes);
    EXPECT_GE(cells[1], 24 * kScenes);
}

TEST(ImageLocalExtract, PicturesOfOneColourHaveNone) {
    for (const LocalKind kind : kKinds) {
        for (const cv::Size size : {cv::Size(640, 480), {1, 1}, {10, 1000}, {2000, 3}}) {
            const cv::Mat plain(size, CV_8UC3, cv::Scalar(10, 200, 30));
            const auto value = extracted(encoded(plain, ".png"), kind);
            const LocalFeatures features = view_local_features(value.data());
            EXPECT_EQ(features.count(), 0u);
            EXPECT_EQ(features.header.width, static_cast<uint32_t>(size.width));
            EXPECT_EQ(features.header.height, static_cast<uint32_t>(size.height));
        }
    }
}

TEST(ImageLocalExtract, AnySizeGivesAValue) {
    const cv::Size sizes[] = {{1000, 337}, {337, 1000}, {3, 2000},  {2000, 3},   {1, 700},
                              {8, 8},      {1, 1},      {2, 1},     {31, 31},    {641, 1},
                              {321, 7},    {7, 321},    {639, 641}, {1281, 961}, {320, 19},
                              {19, 640},   {640, 38},   {1999, 47}};
    for (const LocalKind kind : kKinds) {
        for (const cv::Size size : sizes) {
            SCOPED_TRACE(testing::Message() << local_kind_name(kind) << " " << size);
            cv::Mat noise(size, CV_8UC3);
            cv::randu(noise, 0, 256);
            for (const bool mirrored : {false, true}) {
                // extracted() sees to it that places lie inside.
                const auto value = extracted(encoded(noise, ".png"), {kind, 500, mirrored});
                const LocalFeatures features = view_local_features(value.data());
                EXPECT_EQ(features.header.width, static_cast<uint32_t>(size.width));
                EXPECT_EQ(features.header.height, static_cast<uint32_t>(size.height));
                EXPECT_EQ(features.header.mirrored, mirrored);
            }
        }
    }
}

// As it is, one of 38 pixels is all border to ORB.
TEST(ImageLocalExtract, SmallPicturesAreEnlarged) {
    cv::Mat noise(38, 38, CV_8UC3);
    cv::theRNG().state = 1;
    cv::randu(noise, 0, 256);
    for (const LocalKind kind : kKinds)
        EXPECT_GT(count_of(extracted(encoded(noise, ".png"), kind)), 100u);
}

// In a mirror the mirrored picture is the picture.
TEST(ImageLocalExtract, AMirrorUndoesAMirror) {
    for (const cv::Size size : {cv::Size(640, 480), {1000, 337}, {200, 300}}) {
        const cv::Mat image = scene(size.width, size.height, 4);
        cv::Mat flipped;
        cv::flip(image, flipped, 1);
        for (const LocalKind kind : kKinds) {
            SCOPED_TRACE(testing::Message() << local_kind_name(kind) << " " << size);
            const auto plain = extracted(encoded(image, ".png"), kind);
            auto twice = extracted(encoded(flipped, ".png"), {kind, 300, true});
            const SetMatch match = match_of(plain, twice);
            EXPECT_TRUE(match.is_mirrored);
            EXPECT_GE(match.inliers, count_of(plain) * 9 / 10);
            // What is at x in the picture is at width - x in the flipped one.
            const double right[] = {-1, 0, static_cast<double>(size.width), 0, 1, 0};
            ASSERT_TRUE(match.has_movement);
            for (int i = 0; i < 6; ++i)
                EXPECT_NEAR(match.movement[i], right[i], i % 3 == 2 ? 1 : 0.01) << i;
            if (size.width != 640) continue;
            LocalFeaturesHeader header;
            std::memcpy(&header, twice.data(), sizeof(header));
            header.mirrored = 0;
            std::memcpy(twice.data(), &header, sizeof(header));
            EXPECT_EQ(twice, plain);
        }
    }
}

TEST(ImageLocalExtract, AnotherCopyIsFoundWhereItLies) {
    const cv::Mat image = scene(600, 500, 5);
    const cv::Mat turn = cv::getRotationMatrix2D({300, 250}, 30, 0.7);
    cv::Mat copy;
    cv::warpAffine(image, copy, turn, cv::Size(640, 520), cv::INTER_AREA, cv::BORDER_CONSTANT,
                   cv::Scalar(200, 200, 200));
    for (const LocalKind kind : kKinds) {
        const auto stored = extracted(encoded(image, ".png"), kind);
        const auto asked = extracted(encoded(copy, ".jpg"), {kind, 600, false});
        const SetMatch match = match_of(asked, stored);
        EXPECT_LT(match.distance(), 0.5) << local_kind_name(kind);
        ASSERT_TRUE(match.has_movement);
        const double* m = match.movement;
        for (const cv::Point2d corner : {cv::Point2d(0, 0), {600, 0}, {600, 500}, {0, 500}}) {
            const double* row = turn.ptr<double>(0);
            const cv::Point2d right(row[0] * corner.x + row[1] * corner.y + row[2],
                                    row[3] * corner.x + row[4] * corner.y + row[5]);
            EXPECT_NEAR(m[0] * corner.x + m[1] * corner.y + m[2], right.x, 4);
            EXPECT_NEAR(m[3] * corner.x + m[4] * corner.y + m[5], right.y, 4);
        }
        const auto other = extracted(scene_file(600, 500, 6), kind);
        EXPECT_GT(match_of(asked, other).distance(), 0.75) << local_kind_name(kind);
    }
}

// A picture is the upright one, whatever way round it is stored.
TEST(ImageLocalExtract, ThePictureIsUpright) {
    const cv::Mat upright = scene(640, 400, 7);
    const int ways[][2] = {
        {3, cv::ROTATE_180}, {6, cv::ROTATE_90_COUNTERCLOCKWISE}, {8, cv::ROTATE_90_CLOCKWISE}};
    for (const LocalKind kind : kKinds) {
        const auto right = extracted(encoded(upright, ".png"), kind);
        for (const auto& [orientation, stored_by] : ways) {
            cv::Mat stored;
            cv::rotate(upright, stored, stored_by);
            for (const FileBytes& file :
                 {with_exif(encoded(stored, ".png"), exif_block(orientation)),
                  tiff_file(stored, orientation)})
                EXPECT_EQ(extracted(file, kind), right) << orientation;
        }
    }
}

TEST(ImageLocalExtract, LargePicturesAreReadSmaller) {
    for (const LocalKind kind : kKinds) {
        const cv::Mat image = scene(640, 480, 8);
        cv::Mat large;
        cv::resize(image, large, {1600, 1200}, 0, 0, cv::INTER_CUBIC);
        const auto small_set = extracted(encoded(image, ".png"), kind);
        const auto large_set = extracted(encoded(large, ".jpg"), kind);
        const SetMatch match = match_of(large_set, small_set);
        EXPECT_LT(match.distance(), 0.4);
        ASSERT_TRUE(match.has_movement);
        EXPECT_NEAR(match.movement[0], 2.5, 0.02);
        EXPECT_NEAR(match.movement[4], 2.5, 0.02);
    }
}

TEST(ImageLocalExtract, EachKindHasItsVersion) {
    for (const auto& [kind, version] : {std::pair(LocalKind::kOrb, 2), {LocalKind::kSift, 1}}) {
        const auto value = extracted(scene_file(64, 48, 9), kind);
        EXPECT_EQ(view_local_features(value.data()).header.version, version);
    }
}

// Few features are those that are large enough to be found in a smaller picture.
TEST(ImageLocalExtract, FewFeaturesAreLarge) {
    const FileBytes image = scene_file(640, 480, 10);
    const auto least_pixels = [&](uint32_t count) {
        const auto value = extracted(image, {LocalKind::kOrb, count, false});
        const LocalFeatures features = view_local_features(value.data());
        double least = 640;
        for (uint32_t i = 0; i < features.count(); ++i)
            least = std::min(least, pixels_of_scale(features.header, features.scales[i]));
        return least;
    };
    EXPECT_NEAR(least_pixels(150), 31.0 * 640 / 450, 2);
    EXPECT_NEAR(least_pixels(600), 31, 1.5);
}

// Whoever asks for many looks for small things.
TEST(ImageLocalExtract, SmallPicturesAreEnlargedWhereManyFeaturesAreWanted) {
    const auto least_pixels = [](int side, uint32_t count) {
        const auto value = extracted(scene_file(side, side, 11), {LocalKind::kOrb, count, false});
        const LocalFeatures features = view_local_features(value.data());
        return pixels_of_scale(features.header,
                               std::ranges::min(std::span(features.scales, features.count())));
    };
    EXPECT_NEAR(least_pixels(500, 600), 31, 1.5);
    EXPECT_NEAR(least_pixels(500, 1200), 31.0 * 500 / 905, 1.5);
    // Not more than to twice their size.
    EXPECT_NEAR(least_pixels(400, 4000), 15.5, 1);
}

TEST(ImageLocalExtract, WhatIsNoImageIsRefused) {
    const FileBytes image = scene_file(64, 48, 9);
    const FileBytes cut(image.begin(), image.begin() + 100);
    const FileBytes junk(100, 'x');
    for (const LocalKind kind : kKinds) {
        const LocalExtraction wanted{kind, 10, false};
        for (const FileBytes& file : {FileBytes(), cut, junk})
            EXPECT_THROW(extract_local_features(file, wanted, kLimits), ImageError);
        EXPECT_THROW(extract_local_features(image, wanted, {.max_pixels = 3000}), ImageError);
    }
}

}  // namespace
}  // namespace lookalike

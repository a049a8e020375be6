#include "image/match_drawing.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>

#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 4'000'000};
constexpr LocalExtraction kWanted{LocalKind::kOrb, 400, false};

/// Grey squares, each of another shade, so that every colour of a drawing is a line's or an
/// outline's.
cv::Mat squares(int columns, int rows, uint32_t seed) {
    std::mt19937 random(seed);
    cv::Mat image(rows, columns, CV_8UC3);
    for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x)
            image.at<cv::Vec3b>(y, x) = cv::Vec3b::all(static_cast<uint8_t>(random() % 256));
    cv::resize(image, image, {}, 10, 10, cv::INTER_NEAREST);
    return image;
}

cv::Mat drawn(const cv::Mat& a, const cv::Mat& b, uint32_t size) {
    int read = 0;
    const std::vector<uint8_t> file = draw_matches(encoded(a, ".png"), encoded(b, ".png"), kWanted,
                                                   size, kLimits, [&] { ++read; });
    EXPECT_EQ(read, 2);
    return cv::imdecode(file, cv::IMREAD_COLOR);
}

bool is_coloured(const cv::Vec3b& pixel) {
    const auto [least, most] = std::minmax({pixel[0], pixel[1], pixel[2]});
    return most - least > 60;
}

int coloured_pixels(const cv::Mat& image) {
    int count = 0;
    for (int y = 0; y < image.rows; ++y)
        for (int x = 0; x < image.cols; ++x)
            count += is_coloured(image.at<cv::Vec3b>(y, x));
    return count;
}

TEST(MatchDrawing, PicturesStandSideBySide) {
    const cv::Mat drawing = drawn(squares(40, 30, 1), squares(20, 30, 2), 200);
    EXPECT_EQ(drawing.rows, 200);
    EXPECT_EQ(drawing.cols, 200 + 16 + 133);
}

TEST(MatchDrawing, SmallPicturesAreNotEnlarged) {
    const cv::Mat drawing = drawn(squares(10, 8, 1), squares(9, 12, 2), 400);
    EXPECT_EQ(drawing.rows, 120);
    EXPECT_EQ(drawing.cols, 100 + 16 + 90);
}

TEST(MatchDrawing, LinesJoinWhatIsShared) {
    const cv::Mat whole = squares(40, 30, 1);
    const cv::Mat part = whole(cv::Rect(100, 60, 200, 180)).clone();
    const cv::Mat drawing = drawn(whole, part, 400);
    EXPECT_GT(coloured_pixels(drawing), 2000);
    // Between the pictures there is nothing but lines.
    EXPECT_GT(coloured_pixels(drawing(cv::Rect(400, 0, 16, drawing.rows))), 50);
}

TEST(MatchDrawing, WhatThePartIsOfIsOutlined) {
    const cv::Mat whole = squares(40, 30, 1);
    const cv::Mat part = whole(cv::Rect(100, 60, 200, 180)).clone();
    const cv::Mat drawing = drawn(whole, part, 400);
    const auto is_red = [&](int x, int y) {
        const cv::Vec3b pixel = drawing.at<cv::Vec3b>(y, x);
        return pixel[2] > 150 && pixel[1] < 120 && pixel[0] < 120;
    };
    int red = 0;
    for (int y = 70; y < 230; ++y)
        red += is_red(99, y) || is_red(100, y) || is_red(101, y);
    EXPECT_GT(red, 120);
}

TEST(MatchDrawing, StrangersShareNothing) {
    const cv::Mat drawing = drawn(squares(40, 30, 1), squares(40, 30, 2), 400);
    EXPECT_LT(coloured_pixels(drawing), 600);
}

TEST(MatchDrawing, PlainPicturesAreDrawn) {
    const cv::Mat plain(60, 80, CV_8UC3, cv::Scalar::all(128));
    EXPECT_EQ(coloured_pixels(drawn(plain, plain, 100)), 0);
}

TEST(MatchDrawing, WhatIsNoImageIsRefused) {
    const FileBytes image = encoded(squares(10, 8, 1), ".png");
    const FileBytes junk(100, 7);
    EXPECT_THROW(draw_matches(image, junk, kWanted, 100, kLimits, [] {}), ImageError);
    EXPECT_THROW(draw_matches(junk, image, kWanted, 100, kLimits, [] {}), ImageError);
}

}  // namespace
}  // namespace lookalike

#include "image/orb_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <tuple>

namespace lookalike {
namespace {

/// Squares of all greys, no two pictures the same.
cv::Mat squares(int width, int height, uint32_t seed) {
    std::mt19937 random(seed);
    cv::Mat image(height, width, CV_8U, cv::Scalar(128));
    for (int i = 0; i < width * height / 400; ++i) {
        const int side = 4 + static_cast<int>(random() % 40);
        const cv::Rect square(static_cast<int>(random() % width) - side / 2,
                              static_cast<int>(random() % height) - side / 2, side, side);
        image(square & cv::Rect(0, 0, width, height)) = static_cast<double>(random() % 256);
    }
    return image;
}

std::vector<uint32_t> all_of(const OrbPoints& found) {
    std::vector<uint32_t> all(found.points.size());
    std::iota(all.begin(), all.end(), 0u);
    return all;
}

// Only what surrounds a point is smoothed for it. OpenCV smooths the whole picture.
TEST(ImageOrbFeatures, DescriptorsAreThoseOfTheWholePicture) {
    for (const cv::Size size : {cv::Size(640, 480), cv::Size(251, 640), cv::Size(90, 320)}) {
        const cv::Mat grey = squares(size.width, size.height, 7);
        const OrbPoints found = find_orb_points(grey, 900);
        ASSERT_GT(found.points.size(), 50u);
        std::vector<cv::KeyPoint> points = found.points;
        cv::Mat expected;
        cv::ORB::create(900, 1.2f, 8, 19, 0, 2, cv::ORB::HARRIS_SCORE, 31, 20)
            ->compute(grey, points, expected);
        ASSERT_EQ(points.size(), found.points.size());
        const cv::Mat described = describe_orb_points(found, all_of(found));
        EXPECT_EQ(cv::countNonZero(described != expected), 0) << size;
    }
}

void sort_by_place(std::vector<cv::KeyPoint>& points) {
    std::ranges::sort(points, {}, [](const cv::KeyPoint& point) {
        return std::tuple(point.octave, point.pt.y, point.pt.x);
    });
}

/// Corners everywhere.
cv::Mat noise(int width, int height) {
    cv::Mat coarse(height / 4, width / 4, CV_8U), grey;
    cv::RNG(9).fill(coarse, cv::RNG::UNIFORM, 0, 256);
    cv::resize(coarse, grey, {width, height}, 0, 0, cv::INTER_CUBIC);
    return grey;
}

TEST(ImageOrbFeatures, PointsAreThoseOfOpenCv) {
    const cv::Mat grey = noise(640, 427);
    std::vector<cv::KeyPoint> expected;
    cv::ORB::create(100, 1.2f, 8, 19)->detect(grey, expected);
    std::vector<cv::KeyPoint> points = find_orb_points(grey, 100).points;
    sort_by_place(points);
    sort_by_place(expected);
    ASSERT_EQ(points.size(), expected.size());
    for (size_t i = 0; i < points.size(); ++i) {
        EXPECT_EQ(points[i].pt, expected[i].pt);
        EXPECT_EQ(points[i].octave, expected[i].octave);
        EXPECT_EQ(points[i].angle, expected[i].angle);
        EXPECT_EQ(points[i].size, expected[i].size);
    }
}

TEST(ImageOrbFeatures, TheChosenOnesAreDescribedInTheirOrder) {
    const OrbPoints found = find_orb_points(squares(640, 480, 5), 600);
    const cv::Mat all = describe_orb_points(found, all_of(found));
    const std::vector<uint32_t> chosen = {5, 300, 0, 299};
    const cv::Mat some = describe_orb_points(found, chosen);
    ASSERT_EQ(some.rows, 4);
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(cv::countNonZero(some.row(i) != all.row(static_cast<int>(chosen[i]))), 0);
    EXPECT_EQ(describe_orb_points(found, {}).rows, 0);
}

TEST(ImageOrbFeatures, APictureThatIsAllBorderHasNone) {
    EXPECT_TRUE(find_orb_points(squares(38, 640, 1), 450).points.empty());
    EXPECT_TRUE(find_orb_points(cv::Mat(480, 640, CV_8U, cv::Scalar(9)), 450).points.empty());
}

// Where clear corners are few, faint ones count.
TEST(ImageOrbFeatures, FaintCornersCountWhereThereAreNoOthers) {
    const cv::Mat clear = squares(640, 480, 2);
    cv::Mat faint;
    clear.convertTo(faint, CV_8U, 0.07, 110);
    EXPECT_GT(find_orb_points(faint, 450).points.size(), 100u);
}

}  // namespace
}  // namespace lookalike

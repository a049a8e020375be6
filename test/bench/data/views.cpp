#include "views.h"

#include <cmath>
#include <iostream>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/features2d.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <stdexcept>

namespace lookalike {
namespace {

constexpr uint64_t kSeed = 20240608;
constexpr int kWindow = 768;                 // pixels; SIFT's first octave of it stays small
constexpr double kMinScale = 0.5;            // bilinear sampling leaves out pixels below
constexpr double kMaxScale = 1.4;            // above, there is nothing new to see
constexpr double kContrastThreshold = 0.01;  // as in the set "sift"
constexpr double kRich =
    1000;  // features a window; a photograph with half as many has half the turns

struct Photo {
    cv::Mat pixels;
    double credit = 0;  // a turn costs 1
    double income = 1;  // credit a round
};

// Uniform in [0, 1): std::uniform_real_distribution differs between standard libraries.
double draw(std::mt19937_64& random) {
    return static_cast<double>(random() >> 11) * 0x1p-53;
}

double smallest_scale(const cv::Mat& pixels) {
    return std::numbers::sqrt2 * (kWindow + 2) / std::min(pixels.rows, pixels.cols);
}

// A window whose corners are inside the photograph whatever its angle.
cv::Mat window(const cv::Mat& pixels, std::mt19937_64& random) {
    const double lowest = std::max(kMinScale, smallest_scale(pixels));
    const double scale = lowest * std::pow(kMaxScale / lowest, draw(random));
    const double angle = 2 * std::numbers::pi * draw(random);
    const double mirror = draw(random) < 0.5 ? -1 : 1;
    const double radius = std::numbers::sqrt2 / 2 * kWindow / scale;
    const double x = radius + draw(random) * (pixels.cols - 2 * radius);
    const double y = radius + draw(random) * (pixels.rows - 2 * radius);
    // From the window's pixels to the photograph's.
    const double c = std::cos(angle) / scale, s = std::sin(angle) / scale, half = kWindow / 2.0;
    const cv::Matx23d map(mirror * c, -s, x - mirror * c * half + s * half,  //
                          mirror * s, c, y - mirror * s * half - c * half);
    cv::Mat result;
    cv::warpAffine(pixels, result, map, {kWindow, kWindow}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_REPLICATE);
    return result;
}

std::vector<Photo> read_photos(const std::vector<std::filesystem::path>& files) {
    std::vector<Photo> photos;
    for (const auto& file : files) {
        cv::Mat pixels = cv::imread(file.string(), cv::IMREAD_GRAYSCALE);
        if (!pixels.empty() && smallest_scale(pixels) < kMaxScale)
            photos.push_back({.pixels = std::move(pixels)});
    }
    if (photos.empty()) throw std::runtime_error("no photograph of sufficient size");
    return photos;
}

// Returns how many features the window had.
int add_window(const cv::Mat& pixels, std::mt19937_64& random, ByteRowFile& rows) {
    static const auto extractor = cv::SIFT::create(0, 3, kContrastThreshold, 10, 1.6, CV_8U);
    std::vector<cv::KeyPoint> points;
    cv::Mat features;
    extractor->detectAndCompute(window(pixels, random), cv::noArray(), points, features);
    for (int i = 0; i < features.rows; ++i)
        rows.add({features.ptr<uint8_t>(i), static_cast<size_t>(features.cols)});
    return features.rows;
}

}  // namespace

void add_views(const std::vector<std::filesystem::path>& files, uint32_t wanted,
               bool (*stop_requested)(), ByteRowFile& rows) {
    std::vector<Photo> photos = read_photos(files);
    std::cout << photos.size() << " photographs" << std::endl;
    std::mt19937_64 random(kSeed);
    for (int round = 1; rows.count() < wanted && !stop_requested(); ++round) {
        for (Photo& photo : photos) {
            photo.credit += photo.income;
            if (photo.credit < 1) continue;
            photo.credit -= 1;
            const int found = add_window(photo.pixels, random, rows);
            // A photograph without any feature is looked at again after some twenty rounds.
            photo.income = std::clamp(found / kRich, 0.05, 1.0);
            if (rows.count() >= wanted || stop_requested()) break;
        }
        std::cout << "round " << round << ": " << rows.count() << " rows" << std::endl;
    }
}

}  // namespace lookalike

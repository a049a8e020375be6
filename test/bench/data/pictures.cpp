#include "pictures.h"

#include <array>
#include <fstream>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/features2d.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <regex>

namespace lookalike {
namespace {

constexpr double kMaxPixels = 20e6;  // above: not decoded when the header tells
constexpr double kWorkingPixels =
    3e6;                             // above: scaled down; SIFT's first octave is four times this
constexpr int kMaxFeatures = 12000;  // so that no picture is more than a hundredth of the set
constexpr double kContrastThreshold = 0.01;  // a quarter of OpenCV's default: many features

// Of a PNG; 0 for anything else.
double pixels_by_header(const std::filesystem::path& file) {
    std::array<unsigned char, 24> head{};
    std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(head.data()), head.size());
    if (head[1] != 'P' || head[2] != 'N' || head[3] != 'G') return 0;
    const auto number = [&](size_t at) {
        return double((head[at] << 24 | head[at + 1] << 16 | head[at + 2] << 8 | head[at + 3]));
    };
    return number(16) * number(20);
}

cv::Mat grey_picture(const std::filesystem::path& file) {
    if (pixels_by_header(file) > kMaxPixels) return {};
    cv::Mat picture = cv::imread(file.string(), cv::IMREAD_GRAYSCALE);
    const double pixels = static_cast<double>(picture.total());
    if (pixels > kWorkingPixels) {
        const double scale = std::sqrt(kWorkingPixels / pixels);
        cv::resize(picture, picture, {}, scale, scale, cv::INTER_AREA);
    }
    return picture;
}

void add_sift(const cv::Mat& picture, RowPool& pool) {
    static const auto extractor = cv::SIFT::create(kMaxFeatures, 3, kContrastThreshold);
    std::vector<cv::KeyPoint> points;
    cv::Mat features;
    extractor->detectAndCompute(picture, cv::noArray(), points, features);
    for (int i = 0; i < features.rows; ++i)
        pool.add({features.ptr<float>(i), kSiftDims});
}

// Patches of 64 x 64 pixels as 4 x 4 blocks of 4 cells with 8 directions each: 512 numbers.
void add_hog(cv::Mat picture, RowPool& pool) {
    constexpr int kPatch = 64;
    static const cv::HOGDescriptor extractor({kPatch, kPatch}, {16, 16}, {16, 16}, {8, 8}, 8);
    for (int scale = 0; scale < 2;
         ++scale, cv::resize(picture, picture, {}, 0.5, 0.5, cv::INTER_AREA)) {
        if (std::min(picture.rows, picture.cols) < kPatch) return;
        std::vector<float> features;
        extractor.compute(picture, features, {24, 24});
        for (size_t i = 0; i + kHogDims <= features.size(); i += kHogDims)
            pool.add({features.data() + i, kHogDims});
    }
}

std::string picture_name(const std::filesystem::path& file) {
    static const std::regex size_suffix("_[0-9]+x[0-9]+$");
    if (file.parent_path().filename() == "images") return file.parent_path();
    return file.parent_path() / std::regex_replace(file.stem().string(), size_suffix, "");
}

}  // namespace

std::vector<std::filesystem::path> one_file_each(const std::vector<std::filesystem::path>& files) {
    std::map<std::string, std::pair<uintmax_t, std::filesystem::path>> greatest;
    for (const auto& file : files) {
        if (file.stem() == "screenshot" || !std::filesystem::is_regular_file(file) ||
            std::filesystem::is_symlink(file))
            continue;
        auto& best = greatest[picture_name(file)];
        best = std::max(best, {std::filesystem::file_size(file), file});
    }
    std::vector<std::filesystem::path> result;
    for (const auto& [name, entry] : greatest)
        result.push_back(entry.second);
    return result;
}

void add_picture(const std::filesystem::path& file, RowPool& sift, RowPool* hog) {
    cv::Mat picture;
    try {
        picture = grey_picture(file);
    } catch (const cv::Exception&) {
        return;
    }
    if (std::min(picture.rows, picture.cols) < 16) return;
    add_sift(picture, sift);
    if (hog) add_hog(picture, *hog);
}

}  // namespace lookalike

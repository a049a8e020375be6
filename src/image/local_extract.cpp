#include "image/local_extract.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <opencv2/features2d.hpp>

#include "image/decode.h"
#include "image/orb_features.h"

namespace lookalike {
namespace {

/// Pixels of the longer side. Larger pictures are brought to this times the root of the wanted
/// share of kFeaturesOfSide: what few features show must be large enough to be found again where
/// the picture is smaller. Small pictures are enlarged, since a feature takes 31 pixels.
constexpr int kWorkingSide = 640;
constexpr int kLeastWorkingSide = 320;
/// Whoever asks for more than kFeaturesOfSide looks for small things: up to so much is enlarged.
constexpr int kMostEnlarged = 2;
/// Large enough for few features of ORB: their smallest ones are not found again.
constexpr int kLeastOrbSide = 450;
constexpr int kMostWorkingSide = 1600;
/// SIFT works on a picture of twice the size, and keeps some dozen copies of it in floats.
constexpr int kMostSiftSide = 1000;
constexpr double kFeaturesOfSide = 600;
/// So many times the wanted features are found before those are chosen that lie apart.
constexpr uint32_t kPool = 3;
/// The strongest of a photograph, if fewer are found, all lie where it is richest.
constexpr uint32_t kLeastOrbPool = 1000;
constexpr uint32_t kLeastSiftPool = 100;
/// Side of a part of the picture, of what a feature has for itself when all lie apart.
constexpr double kOrbPart = 1;
constexpr double kSiftPart = 1.5;
/// Pixels of the shorter side from which on there may be features.
constexpr int kNarrowestSide = 16;

/// What is wanted of a picture: the chosen points, and a row of bytes for each.
struct Found {
    std::vector<cv::KeyPoint> points;
    cv::Mat descriptors;
};

int working_side(const LocalExtraction& wanted) {
    const double side = kWorkingSide * std::sqrt(wanted.max_features / kFeaturesOfSide);
    const bool is_orb = wanted.kind == LocalKind::kOrb;
    const int least = is_orb ? kLeastOrbSide : kWorkingSide;
    return static_cast<int>(
        std::clamp<double>(side, least, is_orb ? kMostWorkingSide : kMostSiftSide));
}

int least_working_side(const LocalExtraction& wanted, int longer) {
    const bool is_enlarged =
        wanted.kind == LocalKind::kOrb && wanted.max_features > kFeaturesOfSide;
    return is_enlarged ? std::max(kLeastWorkingSide, kMostEnlarged * longer) : kLeastWorkingSide;
}

cv::Mat working_image(const cv::Mat& image, const LocalExtraction& wanted) {
    const int longer = std::max(image.cols, image.rows);
    const int most = working_side(wanted);
    const int side_wanted =
        std::clamp(longer, std::min(least_working_side(wanted, longer), most), most);
    const double scale = static_cast<double>(side_wanted) / longer;
    const auto side = [scale](int pixels) {
        return std::max(1, static_cast<int>(std::lround(pixels * scale)));
    };
    return resized(image, side(image.cols), side(image.rows));
}

/// RootSIFT: square roots of the shares of the whole, in bytes.
void root_of_shares(const float* from, uint8_t* to) {
    const float sum = std::accumulate(from, from + 128, 0.0f);
    for (int i = 0; i < 128; ++i) {
        const float root = sum > 0 ? std::sqrt(from[i] / sum) : 0;
        to[i] = static_cast<uint8_t>(std::min(255.0f, std::round(root * 512)));
    }
}

std::vector<cv::KeyPoint> picked(const std::vector<cv::KeyPoint>& points,
                                 std::span<const uint32_t> chosen) {
    std::vector<cv::KeyPoint> result;
    for (const uint32_t i : chosen)
        result.push_back(points[i]);
    return result;
}

/// The strongest, but of each part of the picture the second counts for a quarter, the third for a
/// ninth, and so on.
std::vector<uint32_t> spread(const std::vector<cv::KeyPoint>& points, cv::Size size, double part,
                             uint32_t count) {
    std::vector<uint32_t> order(points.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, std::greater{}, [&](uint32_t i) { return points[i].response; });
    if (order.size() <= count) return order;
    const double side = std::sqrt(static_cast<double>(size.area()) / std::max(1u, count)) * part;
    const int columns = static_cast<int>(size.width / side) + 1;
    std::vector<uint32_t> in_cell((static_cast<int>(size.height / side) + 1) * columns);
    std::vector<uint32_t> rank(points.size());
    for (const uint32_t i : order) {
        const int cell = static_cast<int>(points[i].pt.y / side) * columns +
                         static_cast<int>(points[i].pt.x / side);
        rank[i] = in_cell[cell]++;
    }
    std::ranges::stable_sort(order, std::greater{}, [&](uint32_t i) {
        const float place = static_cast<float>(rank[i]) + 1;
        return points[i].response / (place * place);
    });
    order.resize(count);
    std::ranges::stable_sort(order, std::greater{}, [&](uint32_t i) { return points[i].response; });
    return order;
}

Found find_orb(const cv::Mat& grey, uint32_t pool, uint32_t count) {
    const OrbPoints found = find_orb_points(grey, pool);
    const std::vector<uint32_t> chosen = spread(found.points, grey.size(), kOrbPart, count);
    return {picked(found.points, chosen), describe_orb_points(found, chosen)};
}

Found find_sift(const cv::Mat& grey, uint32_t pool, uint32_t count) {
    std::vector<cv::KeyPoint> points;
    cv::Mat floats;
    cv::SIFT::create(static_cast<int>(pool))->detectAndCompute(grey, cv::noArray(), points, floats);
    const std::vector<uint32_t> chosen = spread(points, grey.size(), kSiftPart, count);
    Found found{picked(points, chosen), cv::Mat(static_cast<int>(chosen.size()), 128, CV_8U)};
    for (int row = 0; const uint32_t i : chosen)
        root_of_shares(floats.ptr<float>(static_cast<int>(i)), found.descriptors.ptr(row++));
    return found;
}

Found find_features(const cv::Mat& grey, const LocalExtraction& wanted) {
    if (std::min(grey.cols, grey.rows) < kNarrowestSide) return {};
    const uint32_t count = wanted.max_features;
    return wanted.kind == LocalKind::kOrb
               ? find_orb(grey, std::max(kPool * count, kLeastOrbPool), count)
               : find_sift(grey, std::max(kPool * count, kLeastSiftPool), count);
}

Found find_within_memory(const cv::Mat& grey, const LocalExtraction& wanted) {
    const auto fail = [] {
        throw ImageError(ImageFault::kOutOfMemory,
                         "out of memory while looking for the local features of an image");
    };
    try {
        return find_features(grey, wanted);
    } catch (const std::bad_alloc&) {
        fail();
    } catch (const cv::Exception& exception) {
        if (exception.code != cv::Error::StsNoMem) throw;
        fail();
    }
    return {};
}

/// Working pictures are rounded to whole pixels, so that one may lie a little outside of the
/// picture.
uint16_t place_of(double share_of_longer, uint32_t end) {
    const double place = std::floor(share_of_longer * kPlaceParts);
    return static_cast<uint16_t>(std::clamp<double>(place, 0, end - 1));
}

}  // namespace

std::vector<uint8_t> extract_local_features(std::span<const uint8_t> image,
                                            const LocalExtraction& wanted,
                                            const ImageLimits& limits) {
    const ImageInfo info = image_info(image);
    const int side = working_side(wanted);
    const uint64_t pixels = static_cast<uint64_t>(side) * static_cast<uint64_t>(side);
    cv::Mat grey = working_image(decode_grey_image(image, limits, pixels), wanted);
    if (wanted.mirrored) cv::flip(grey.clone(), grey, 1);
    const Found found = find_within_memory(grey, wanted);

    const bool is_turned = info.orientation >= 5;
    const LocalFeaturesHeader header{.kind = wanted.kind,
                                     .version = local_version(wanted.kind),
                                     .mirrored = wanted.mirrored,
                                     .reserved = 0,
                                     .count = static_cast<uint32_t>(found.points.size()),
                                     .width = is_turned ? info.height : info.width,
                                     .height = is_turned ? info.width : info.height};
    std::vector<uint8_t> value(local_features_bytes(header.kind, header.count));
    const LocalFeaturesParts parts = lay_out_local_features(header, value.data());
    const size_t bytes = local_descriptor_bytes(header.kind);
    const double longer = std::max(grey.cols, grey.rows);
    for (uint32_t i = 0; i < header.count; ++i) {
        const cv::KeyPoint& point = found.points[i];
        std::memcpy(parts.descriptors + i * bytes, found.descriptors.ptr(static_cast<int>(i)),
                    bytes);
        parts.put(i, {.x = place_of(point.pt.x / longer, end_of_places(header, header.width)),
                      .y = place_of(point.pt.y / longer, end_of_places(header, header.height)),
                      .scale = scale_of(point.size, longer),
                      .angle = angle_of(point.angle),
                      .strength = strength_of(point.response)});
    }
    return value;
}

}  // namespace lookalike

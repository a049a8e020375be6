#include "image/decoding_cost.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "image/decode.h"
#include "image_samples.h"

namespace lookalike {
namespace {

const cv::Mat kColour(40, 60, CV_8UC3, cv::Scalar(30, 90, 150));

std::vector<uint8_t> with_segment(std::vector<uint8_t> jpeg, std::vector<uint8_t> content) {
    const size_t length = content.size() + 2;
    content.insert(content.begin(),
                   {0xff, 0xe1, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
    jpeg.insert(jpeg.begin() + 2, content.begin(), content.end());
    return jpeg;
}

ImageFault fault_of(std::span<const uint8_t> file, uint64_t max_bytes) {
    try {
        decode_image(file, {.max_pixels = 1'000'000, .max_bytes = max_bytes}, UINT32_MAX);
    } catch (const ImageError& error) {
        return error.fault;
    }
    return ImageFault::kBadSpec;  // none
}

TEST(DecodingCost, CountsScansOfJpegs) {
    const auto baseline = encoded(kColour, ".jpg");
    EXPECT_EQ(count_jpeg_scans(baseline), 1u);
    const auto progressive = encoded(kColour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
    EXPECT_GT(count_jpeg_scans(progressive), 5u);
    EXPECT_LT(count_jpeg_scans(progressive), kMaxJpegScans);
    // A preview is an image of its own.
    EXPECT_EQ(count_jpeg_scans(with_segment(baseline, progressive)), 1u);
}

TEST(DecodingCost, CountsScansOfAnythingThatIsCutOff) {
    const auto file = encoded(kColour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
    const uint32_t all = count_jpeg_scans(file);
    uint32_t before = 0;
    for (size_t length = 0; length <= file.size(); ++length) {
        // A copy of its own, so that a sanitizer sees every byte too far.
        const std::vector<uint8_t> part(file.begin(), file.begin() + length);
        const uint32_t scans = count_jpeg_scans(part);
        EXPECT_GE(scans, before);
        EXPECT_LE(scans, all);
        before = scans;
    }
    EXPECT_EQ(before, all);
}

TEST(DecodingCost, RefusesAJpegOfTooManyScans) {
    auto file = encoded(kColour, ".jpg");
    const std::vector<uint8_t> scan = {0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0};
    for (uint32_t i = 0; i < kMaxJpegScans; ++i)
        file.insert(file.end() - 2, scan.begin(), scan.end());
    EXPECT_EQ(fault_of(file, UINT64_MAX), ImageFault::kTooSlow);
}

TEST(DecodingCost, RefusesWhatTakesMoreMemoryThanThereIs) {
    const cv::Mat deep(100, 100, CV_16UC4, cv::Scalar(1, 2, 3, 4));
    struct Case {
        std::vector<uint8_t> file;
        uint64_t bytes;
    };
    const Case cases[] = {{encoded(kColour, ".png"), 60 * 40 * 3},
                          {encoded(deep, ".png"), 100 * 100 * 12},
                          {encoded(kColour, ".jpg"), 60 * 40 * 3},
                          {encoded(kColour, ".jp2"), 60 * 40 * 15}};
    for (const Case& each : cases) {
        EXPECT_EQ(least_decoding_bytes(each.file, read_header(each.file), 1), each.bytes);
        EXPECT_EQ(fault_of(each.file, each.bytes - 1), ImageFault::kNeedsMemory);
        EXPECT_EQ(fault_of(each.file, each.bytes), ImageFault::kBadSpec);
    }
    EXPECT_EQ(least_decoding_bytes(cases[2].file, read_header(cases[2].file), 2), 30 * 20 * 3u);
}

}  // namespace
}  // namespace lookalike

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "image/decode.h"
#include "image/image.h"
#include "image/textile.h"
#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 1'000'000};

Features extracted(const FileBytes& image, const char* spec) {
    return extract_features(image, parse_extractor_spec(spec), kLimits, nullptr);
}

std::vector<float> reals(const Features& features) {
    EXPECT_EQ(features.elements.size(), element_bytes(features.kind, features.dims));
    std::vector<float> out(features.dims);
    std::memcpy(out.data(), features.elements.data(), features.elements.size());
    return out;
}

double squared_distance(const FileBytes& a, const FileBytes& b, const char* spec) {
    const std::vector<float> x = reals(extracted(a, spec)), y = reals(extracted(b, spec));
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
        sum += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
    }
    return sum;
}

double length(const std::vector<float>& vector) {
    double sum = 0;
    for (const float element : vector) {
        EXPECT_TRUE(std::isfinite(element));
        sum += double{element} * element;
    }
    return std::sqrt(sum);
}

cv::Mat textile_image(uint32_t design, uint32_t colourway) {
    TextileSample sample = textile_sample(design * kTextileColourways + colourway);
    const cv::Mat rgb(kTextileSide, kTextileSide, CV_8UC3, sample.rgb.data());
    cv::Mat image;
    cv::cvtColor(rgb, image, cv::COLOR_RGB2BGR);
    return image;
}

FileBytes textile(uint32_t design, uint32_t colourway) {
    return encoded(textile_image(design, colourway), ".jpg");
}

ImageFault fault_of(const char* spec) {
    try {
        extracted(encoded(quarters(30, 30), ".png"), spec);
    } catch (const ImageError& error) {
        return error.fault;
    }
    ADD_FAILURE() << "no error";
    return ImageFault::kUnreadable;
}

TEST(ImageExtract, ExtractorsGiveWhatTheListSays) {
    ASSERT_EQ(image_extractors().size(), 3u);
    for (const ExtractorInfo& extractor : image_extractors()) {
        const std::string spec =
            extractor.name + std::string("@") + std::to_string(extractor.version);
        const Features features = extracted(textile(3, 0), spec.c_str());
        EXPECT_EQ(features.kind, extractor.kind) << spec;
        EXPECT_EQ(features.dims, extractor.dims) << spec;
        EXPECT_EQ(features.elements.size(), element_bytes(extractor.kind, extractor.dims)) << spec;
        EXPECT_EQ(is_binary(extractor.metric), extractor.kind == Kind::kBit) << spec;
        EXPECT_EQ(features.elements, extracted(textile(3, 0), extractor.name).elements) << spec;
    }
}

// Three numbers that a changed extractor does not keep.
std::array<double, 3> fingerprint(const std::vector<float>& vector) {
    std::array<double, 3> sums = {};
    for (size_t i = 0; i < vector.size(); ++i) {
        for (size_t k = 0; k < sums.size(); ++k)
            sums[k] += vector[i] * std::cos(static_cast<double>(i * (k + 1)));
    }
    return sums;
}

// What is stored in tables was computed by these versions: whoever changes an output gives it a new
// number. The tolerance is for the last digits of other processors and libraries.
TEST(ImageExtract, VersionsPinTheOutput) {
    cv::Mat image(120, 160, CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            image.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>(x + y),
                                         static_cast<uint8_t>(x * y / 64),
                                         static_cast<uint8_t>((x / 8 ^ y / 8) * 16)};
        }
    }
    const FileBytes file = encoded(image, ".png");
    const std::pair<const char*, std::array<double, 3>> expected[] = {
        {"color@1", {-1.0750, 0.2059, 0.0400}}, {"pattern@1", {0.3018, -0.0704, 2.1689}}};
    for (const auto& [spec, numbers] : expected) {
        const auto found = fingerprint(reals(extracted(file, spec)));
        for (size_t k = 0; k < numbers.size(); ++k)
            EXPECT_NEAR(found[k], numbers[k], 0.005) << spec;
    }
    uint64_t hash = 0;
    const Features features = extracted(file, "phash@1");
    std::memcpy(&hash, features.elements.data(), sizeof(hash));
    EXPECT_LE(std::popcount(hash ^ 0xf7ef5dbac7aa5aa9), 2) << std::hex << hash;
}

TEST(ImageExtract, SquaredDistancesAddUpByWeight) {
    const FileBytes a = textile(3, 0), b = textile(8, 4);
    const double colour = squared_distance(a, b, "color");
    const double pattern = squared_distance(a, b, "pattern");
    EXPECT_NEAR(squared_distance(a, b, "color+pattern"), colour + pattern, 1e-4);
    EXPECT_NEAR(squared_distance(a, b, "color:0.6+pattern:0.4"), 0.6 * colour + 0.4 * pattern,
                1e-4);
    EXPECT_NEAR(squared_distance(a, b, "pattern:2+color:0.5+pattern"), 3 * pattern + 0.5 * colour,
                1e-4);
}

TEST(ImageExtract, OddPicturesHaveDescriptors) {
    const cv::Mat transparent(20, 20, CV_8UC4, cv::Scalar(0, 0, 0, 0));
    const FileBytes files[] = {
        encoded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)), ".png"),
        encoded(quarters(3, 2), ".png"),
        encoded(quarters(5000, 2), ".png"),
        encoded(quarters(2, 5000), ".png"),
        encoded(cv::Mat(300, 300, CV_8UC3, cv::Scalar(0, 0, 0)), ".jpg"),
        encoded(transparent, ".png"),
        encoded(quarters(999, 999), ".jpg"),
    };
    for (const FileBytes& file : files) {
        EXPECT_NEAR(length(reals(extracted(file, "color"))), 1, 1e-3);
        EXPECT_LE(length(reals(extracted(file, "pattern"))), 1.8 + 1e-3);
        EXPECT_EQ(extracted(file, "phash").elements.size(), 8u);
    }
    EXPECT_EQ(length(reals(extracted(files[0], "pattern"))), 0);
    EXPECT_NEAR(length(reals(extracted(textile(0, 0), "pattern"))), 1.8, 1e-3);
}

TEST(ImageExtract, WhiteIsWhatTransparencyShows) {
    const cv::Mat clear(40, 40, CV_8UC4, cv::Scalar(0, 0, 0, 0));
    const cv::Mat white(40, 40, CV_8UC3, cv::Scalar(255, 255, 255));
    EXPECT_EQ(extracted(encoded(clear, ".png"), "color").elements,
              extracted(encoded(white, ".png"), "color").elements);
}

size_t nearest(const std::vector<float>& query, const std::vector<std::vector<float>>& others) {
    const auto distance = [&query](const std::vector<float>& other) {
        double sum = 0;
        for (size_t i = 0; i < query.size(); ++i) {
            sum += (double{query[i]} - other[i]) * (double{query[i]} - other[i]);
        }
        return sum;
    };
    const auto found =
        std::min_element(others.begin(), others.end(),
                         [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    return found - others.begin();
}

// Among cuttings of half the designs, each in some other colourway, the nearest is the same design.
TEST(ImageExtract, PatternFindsTheDesignInAnotherColourway) {
    std::vector<std::vector<float>> others;
    constexpr uint32_t kStep = 2;
    for (uint32_t design = 0; design < kTextileDesigns; design += kStep) {
        const uint32_t colourway = 1 + design * 7 % (kTextileColourways - 1);
        others.push_back(reals(extracted(textile(design, colourway), "pattern")));
    }
    size_t right = 0;
    for (size_t i = 0; i < others.size(); ++i) {
        right += nearest(reals(extracted(textile(i * kStep, 0), "pattern")), others) == i;
    }
    EXPECT_GE(right, 24u) << "of " << others.size();
}

// Among all colourways on another design, the nearest is the same colourway.
TEST(ImageExtract, ColorFindsTheColourwayOnAnotherDesign) {
    std::vector<std::vector<float>> others;
    for (uint32_t colourway = 0; colourway < kTextileColourways; ++colourway) {
        others.push_back(reals(extracted(textile(19, colourway), "color")));
    }
    size_t right = 0;
    for (size_t i = 0; i < others.size(); ++i) {
        right += nearest(reals(extracted(textile(8, i), "color")), others) == i;
    }
    EXPECT_GE(right, 11u) << "of " << others.size();
}

TEST(ImageExtract, SizeAndCompressionChangeLittle) {
    const cv::Mat image = textile_image(20, 3);
    const FileBytes stored = encoded(image, ".png");
    const FileBytes copies[] = {encoded(image, ".jpg", {1, 40}),
                                encoded(resized(image, 160, 160), ".webp"),
                                encoded(resized(image, 900, 900), ".jpg")};
    const FileBytes other = textile(20, 5), another = textile(21, 3);
    for (const FileBytes& copy : copies) {
        EXPECT_LT(3 * squared_distance(stored, copy, "color"),
                  squared_distance(stored, other, "color"));
        EXPECT_LT(3 * squared_distance(stored, copy, "pattern"),
                  squared_distance(stored, another, "pattern"));
    }
}

TEST(ImageExtract, WhatCannotBeCombinedIsAnError) {
    EXPECT_EQ(fault_of("phash+color"), ImageFault::kBadSpec);
    EXPECT_EQ(fault_of("color+phash"), ImageFault::kBadSpec);
    EXPECT_EQ(fault_of("phash:2"), ImageFault::kBadSpec);
    EXPECT_EQ(fault_of("colour"), ImageFault::kUnknownExtractor);
    EXPECT_EQ(fault_of("color@2"), ImageFault::kUnknownExtractor);
    EXPECT_EQ(fault_of("net:nothing@1"), ImageFault::kModel);
}

TEST(ImageExtract, TextilesAreTheSameEverywhere) {
    const TextileSample sample = textile_sample(100);
    EXPECT_EQ(sample.rgb, textile_sample(100).rgb);
    EXPECT_EQ(sample.rgb.size(), size_t{kTextileSide} * kTextileSide * 3);
    EXPECT_EQ(sample.design, textile_sample(96).design);
    EXPECT_EQ(sample.colourway, textile_sample(100 - kTextileColourways).colourway);
    EXPECT_NE(sample.rgb, textile_sample(101).rgb);
}

}  // namespace
}  // namespace lookalike

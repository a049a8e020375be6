// Kinds of common formats that are rare: they are read, or the error says what they are.
#include <gtest/gtest.h>

#include <algorithm>

#include "image/decode.h"
#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 3'000'000};

cv::Mat decoded(const FileBytes& file) {
    return decode_image(file, kLimits, UINT32_MAX);
}

std::string refusal_of(const FileBytes& file) {
    try {
        decode_image(file, kLimits, UINT32_MAX);
    } catch (const ImageError& error) {
        EXPECT_EQ(error.fault, ImageFault::kUnsupportedFormat);
        return error.what();
    }
    return "";
}

void put_big(FileBytes& file, size_t offset, uint32_t value) {
    for (int i = 0; i < 4; ++i) {
        file[offset + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
    }
}

uint32_t crc_of(std::span<const uint8_t> bytes) {
    uint32_t crc = ~0u;
    for (const uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

void expect_quarters(const char* name) {
    const cv::Mat image = decoded(corpus_file(name)), expected = quarters(64, 32);
    ASSERT_EQ(image.type(), CV_8UC3) << name;
    ASSERT_EQ(image.size(), expected.size()) << name;
    for (const int y : {8, 24}) {
        for (const int x : {16, 48}) {
            for (int channel = 0; channel < 3; ++channel) {
                EXPECT_NEAR(image.at<cv::Vec3b>(y, x)[channel],
                            expected.at<cv::Vec3b>(y, x)[channel], 2)
                    << name << ' ' << x << ' ' << y;
            }
        }
    }
}

// Made by opj_compress 2.5, with boxes for palette, alpha and colour space put in by hand.
TEST(ImageRare, EveryJpeg2000IsRead) {
    for (const char* name : {"jp2_signed", "jp2_420", "jp2_4bit", "jp2_offset", "jp2_cmyk"}) {
        expect_quarters(name);
    }
    const cv::Mat bits = decoded(corpus_file("jp2_1bit"));
    EXPECT_EQ(bits.at<cv::Vec3b>(8, 16), cv::Vec3b(255, 255, 255));
    EXPECT_EQ(bits.at<cv::Vec3b>(8, 48), cv::Vec3b(0, 0, 0));
    EXPECT_EQ(image_info(corpus_file("jp2_palette")).channels, 3u);
    const cv::Mat palette = decoded(corpus_file("jp2_palette"));
    EXPECT_EQ(palette.at<cv::Vec3b>(8, 16), cv::Vec3b(0, 0, 255));
    EXPECT_EQ(palette.at<cv::Vec3b>(8, 48), cv::Vec3b(255, 0, 0));
    const cv::Mat glass = decoded(corpus_file("jp2_alpha"));
    ASSERT_EQ(glass.type(), CV_8UC4);
    EXPECT_EQ(glass.at<cv::Vec4b>(8, 16), cv::Vec4b(0, 0, 255, 128));
}

TEST(ImageRare, Jpeg2000OfManyChannelsIsNamed) {
    FileBytes file = corpus_file("jp2_1bit");
    const FileBytes start{0xff, 0x4f, 0xff, 0x51};
    const auto stream = std::search(file.begin(), file.end(), start.begin(), start.end());
    ASSERT_NE(stream, file.end());
    *(stream + 41) = 5;
    EXPECT_EQ(refusal_of(file), "5-channel JPEG 2000 images are not supported");
}

TEST(ImageRare, SidesThatDecodersRefuseAreNamed) {
    FileBytes png = encoded(cv::Mat(15, 1, CV_8U, cv::Scalar(9)), ".png");
    constexpr size_t kType = 12, kHeight = 20, kChecksum = 29;
    put_big(png, kHeight, 2'499'999);
    put_big(png, kChecksum, crc_of({png.data() + kType, kChecksum - kType}));
    EXPECT_EQ(refusal_of(png), "PNG images of more than 1000000 pixels a side are not supported");
    EXPECT_EQ(refusal_of(encoded(cv::Mat(1, 1'100'000, CV_8U, cv::Scalar(9)), ".pgm")),
              "PNM images of more than 1048576 pixels a side are not supported");
    FileBytes jpeg = encoded(cv::Mat(65'500, 1, CV_8U, cv::Scalar(9)), ".jpg");
    EXPECT_EQ(decoded(jpeg).rows, 65'500);
    const auto frame = std::find(jpeg.begin(), jpeg.end(), 0xc0);
    *(frame + 4) = *(frame + 5) = 0xff;
    EXPECT_EQ(refusal_of(jpeg), "JPEG images of more than 65500 pixels a side are not supported");
}

TEST(ImageRare, KindsOfJpegAreNamed) {
    const FileBytes file = encoded(quarters(32, 16), ".jpg");
    const auto frame = std::search_n(file.begin(), file.end(), 1, 0xc0) - file.begin();
    ASSERT_EQ(file[frame - 1], 0xff);
    ASSERT_EQ(file[frame + 3], 8);
    const auto changed = [&](size_t place, uint8_t value) {
        FileBytes copy = file;
        copy[frame + place] = value;
        return refusal_of(copy);
    };
    EXPECT_EQ(changed(0, 0xc3), "lossless JPEG images are not supported");
    EXPECT_EQ(changed(0, 0xc5), "hierarchical JPEG images are not supported");
    EXPECT_EQ(changed(0, 0xf7), "JPEG-LS images are not supported");
    EXPECT_EQ(changed(3, 12), "12-bit JPEG images are not supported");
    EXPECT_EQ(changed(8, 2), "two-channel JPEG images are not supported");
    EXPECT_EQ(changed(8, 7), "7-channel JPEG images are not supported");
    EXPECT_EQ(changed(0, 0xc1), "");  // extended
}

TEST(ImageRare, KindsOfBmpAreNamed) {
    FileBytes file = encoded(quarters(32, 16), ".bmp");
    file[30] = 4;
    EXPECT_EQ(refusal_of(file), "JPEG-compressed BMP images are not supported");
    file[30] = 5;
    EXPECT_EQ(refusal_of(file), "PNG-compressed BMP images are not supported");
}

TEST(ImageRare, KindsOfTiffAreNamed) {
    const FileBytes file = tiff_file(quarters(16, 16), 1);
    constexpr size_t kTags = 8 + 2, kTag = 12, kValue = 8;
    const auto changed = [&](int index, uint8_t low, uint8_t high) {
        FileBytes copy = file;
        copy[kTags + index * kTag + kValue] = low;
        copy[kTags + index * kTag + kValue + 1] = high;
        return copy;
    };
    ASSERT_EQ(file[kTags + 3 * kTag], 259 & 0xff);
    // OpenCV gives black for this one.
    EXPECT_EQ(refusal_of(changed(3, 99, 0)), "TIFF (compression 99) images are not supported");
    EXPECT_EQ(refusal_of(changed(3, 6, 0)), "TIFF (compression 6) images are not supported");
    EXPECT_EQ(refusal_of(changed(4, 0x23, 0x80)),
              "TIFF (colour space 32803) images are not supported");
    // The bits of each channel lie behind the tags.
    const size_t bits = kTags + 10 * kTag + 4;
    ASSERT_EQ(file[bits], 8);
    FileBytes deep = file;
    for (int channel = 0; channel < 3; ++channel) {
        deep[bits + 2 * channel] = 32;
    }
    EXPECT_EQ(refusal_of(deep), "32-bit TIFF images are not supported");
    // Its orientation made the tag that says so.
    FileBytes real = deep;
    real[kTags + 6 * kTag] = 339 & 0xff;
    real[kTags + 6 * kTag + kValue] = 3;
    EXPECT_EQ(refusal_of(real), "floating-point TIFF images are not supported");
}

TEST(ImageRare, DamageOfACommonKindIsDamage) {
    FileBytes file = encoded(quarters(32, 16), ".png");
    file.resize(file.size() - 30);
    try {
        decoded(file);
        ADD_FAILURE() << "no error";
    } catch (const ImageError& error) {
        EXPECT_EQ(error.fault, ImageFault::kUnreadable);
    }
}

}  // namespace
}  // namespace lookalike

#include "image/decode.h"

#include <gtest/gtest.h>

#include <chrono>
#include <opencv2/imgcodecs.hpp>

#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 1'000'000};
constexpr uint64_t kAllPixels = UINT32_MAX;

cv::Mat decoded(std::span<const uint8_t> file) {
    return decode_image(file, kLimits, kAllPixels);
}

// Greatest difference of any channel at the centres of the quarters.
int difference_at_quarters(const cv::Mat& image, const cv::Mat& expected) {
    if (image.size() != expected.size() || image.type() != expected.type()) return 1000;
    int greatest = 0;
    for (const int y : {image.rows / 4, image.rows * 3 / 4}) {
        for (const int x : {image.cols / 4, image.cols * 3 / 4}) {
            for (int channel = 0; channel < 3; ++channel) {
                greatest = std::max(greatest, std::abs(image.at<cv::Vec3b>(y, x)[channel] -
                                                       expected.at<cv::Vec3b>(y, x)[channel]));
            }
        }
    }
    return greatest;
}

ImageFault fault_of(std::span<const uint8_t> file, ImageLimits limits = kLimits) {
    try {
        decode_image(file, limits, kAllPixels);
    } catch (const ImageError& error) {
        return error.fault;
    }
    ADD_FAILURE() << "no error";
    return ImageFault::kModel;
}

std::string message_of(std::span<const uint8_t> file, ImageLimits limits = kLimits) {
    try {
        decode_image(file, limits, kAllPixels);
    } catch (const ImageError& error) {
        return error.what();
    }
    return "";
}

struct Format {
    const char* extension;
    const char* name;
    int tolerance;
};

constexpr Format kFormats[] = {
    {".jpg", "JPEG", 8},  {".png", "PNG", 0}, {".webp", "WebP", 12},    {".bmp", "BMP", 0},
    {".tiff", "TIFF", 0}, {".ppm", "PNM", 0}, {".jp2", "JPEG 2000", 8}, {".gif", "GIF", 0}};

TEST(ImageDecode, EveryFormatComesBack) {
    const cv::Mat image = quarters(60, 40);
    for (const auto& [extension, name, tolerance] : kFormats) {
        const FileBytes file = encoded(image, extension);
        const ImageInfo info = image_info(file);
        EXPECT_EQ(info.format, name);
        EXPECT_EQ(info.width, 60u) << name;
        EXPECT_EQ(info.height, 40u) << name;
        EXPECT_EQ(info.channels, 3u) << name;
        EXPECT_EQ(info.orientation, 1) << name;
        EXPECT_LE(difference_at_quarters(decoded(file), image), tolerance) << name;
    }
}

TEST(ImageDecode, GreyBecomesColour) {
    const cv::Mat grey(40, 60, CV_8UC1, cv::Scalar(90));
    for (const char* extension : {".jpg", ".png", ".bmp", ".tiff", ".pgm", ".jp2", ".pbm"}) {
        const FileBytes file = encoded(grey, extension);
        // A grey BMP has a palette.
        const uint32_t channels = std::string(extension) == ".bmp" ? 3 : 1;
        EXPECT_EQ(image_info(file).channels, channels) << extension;
        const cv::Mat image = decoded(file);
        ASSERT_EQ(image.type(), CV_8UC3) << extension;
        if (std::string(extension) == ".pbm") continue;  // black or white
        EXPECT_NEAR(image.at<cv::Vec3b>(20, 30)[1], 90, 2) << extension;
    }
}

TEST(ImageDecode, SixteenBitsAreNarrowed) {
    cv::Mat deep;
    quarters(60, 40).convertTo(deep, CV_16U, 257);
    for (const char* extension : {".png", ".tiff", ".ppm", ".jp2"}) {
        EXPECT_LE(difference_at_quarters(decoded(encoded(deep, extension)), quarters(60, 40)), 8)
            << extension;
    }
    const cv::Mat half_transparent(8, 8, CV_16UC4, cv::Scalar(0, 0, 65535, 32768));
    const cv::Mat image = composed_on_white(decoded(encoded(half_transparent, ".png")));
    EXPECT_EQ(image.at<cv::Vec3b>(4, 4), cv::Vec3b(127, 127, 255));
}

TEST(ImageDecode, PaletteAndCmykBecomeColour) {
    const cv::Mat palette = decoded(kPalettePng);
    EXPECT_EQ(palette.at<cv::Vec3b>(2, 1), cv::Vec3b(0, 0, 255));
    EXPECT_EQ(palette.at<cv::Vec3b>(2, 6), cv::Vec3b(255, 0, 0));
    EXPECT_EQ(image_info(kCmykJpeg).channels, 4u);
    const cv::Mat cmyk = decoded(kCmykJpeg);
    const cv::Vec3b cyan = cmyk.at<cv::Vec3b>(4, 3), red = cmyk.at<cv::Vec3b>(4, 12);
    EXPECT_TRUE(cyan[0] > 200 && cyan[1] > 200 && cyan[2] < 50) << cyan;
    EXPECT_TRUE(red[0] < 50 && red[1] < 50 && red[2] > 200) << red;
}

TEST(ImageDecode, AlphaIsComposedOnWhite) {
    cv::Mat image(40, 60, CV_8UC4, cv::Scalar(0, 0, 255, 255));
    image.colRange(30, 60).setTo(cv::Scalar(200, 100, 0, 0));
    image.rowRange(0, 10).setTo(cv::Scalar(0, 0, 0, 102));
    const FileBytes files[] = {encoded(image, ".png"),
                               encoded(image, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}),
                               tiff_file(image, 1)};
    for (const FileBytes& file : files) {
        const std::string name = image_info(file).format;
        EXPECT_EQ(image_info(file).channels, 4u) << name;
        ASSERT_EQ(decoded(file).type(), CV_8UC4) << name;
        const cv::Mat composed = composed_on_white(decoded(file));
        EXPECT_EQ(composed.at<cv::Vec3b>(30, 10), cv::Vec3b(0, 0, 255)) << name;
        EXPECT_EQ(composed.at<cv::Vec3b>(30, 50), cv::Vec3b(255, 255, 255)) << name;
        EXPECT_NEAR(composed.at<cv::Vec3b>(5, 10)[0], 153, 1) << name;
    }
    const cv::Mat palette = composed_on_white(decoded(kTransparentPalettePng));
    EXPECT_EQ(palette.at<cv::Vec3b>(2, 1), cv::Vec3b(0, 0, 255));
    EXPECT_EQ(palette.at<cv::Vec3b>(2, 6), cv::Vec3b(255, 255, 255));
}

// What a camera held that way would store, straight from the wording of the standard: where row 0
// and column 0 of the stored image belong in the picture.
cv::Mat stored_as(const cv::Mat& upright, int orientation) {
    const int width = upright.cols, height = upright.rows;
    const bool is_turned = orientation >= 5;
    cv::Mat stored(is_turned ? width : height, is_turned ? height : width, CV_8UC3);
    for (int row = 0; row < stored.rows; ++row) {
        for (int column = 0; column < stored.cols; ++column) {
            int x = is_turned ? row : column, y = is_turned ? column : row;
            const bool from_right =
                orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
            const bool from_bottom =
                orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
            if (from_right) x = width - 1 - x;
            if (from_bottom) y = height - 1 - y;
            stored.at<cv::Vec3b>(row, column) = upright.at<cv::Vec3b>(y, x);
        }
    }
    return stored;
}

TEST(ImageDecode, OrientationIsApplied) {
    const std::vector<int> lossless{cv::IMWRITE_WEBP_QUALITY, 101};
    const cv::Mat image = quarters(64, 32);
    for (int orientation = 1; orientation <= 8; ++orientation) {
        const cv::Mat stored = stored_as(image, orientation);
        const FileBytes exif = exif_block(orientation);
        const FileBytes files[] = {
            with_exif(encoded(stored, ".jpg"), exif), with_exif(encoded(stored, ".png"), exif),
            webp_with_exif(encoded(stored, ".webp", lossless), stored.cols, stored.rows, exif),
            tiff_file(stored, orientation)};
        for (const FileBytes& file : files) {
            const ImageInfo info = image_info(file);
            EXPECT_EQ(info.orientation, orientation) << info.format;
            EXPECT_EQ(info.width, static_cast<uint32_t>(stored.cols)) << info.format;
            EXPECT_LE(difference_at_quarters(decoded(file), image), 8)
                << info.format << ", orientation " << orientation;
        }
    }
}

TEST(ImageDecode, AnimationsShowTheirFirstFrame) {
    const std::vector<int> lossless{cv::IMWRITE_WEBP_QUALITY, 101};
    const cv::Mat image = quarters(64, 32);
    const FileBytes file = animated_webp(
        {encoded(image, ".webp", lossless), encoded(255 - image, ".webp", lossless)}, 64, 32);
    EXPECT_EQ(image_info(file).width, 64u);
    EXPECT_EQ(difference_at_quarters(decoded(file), image), 0);
}

TEST(ImageDecode, GifsOfEveryCodeLengthComeBack) {
    // Noise takes all 4,096 codes; one colour makes the longest strings.
    cv::Mat noise(150, 120, CV_8U), calm(150, 120, CV_8U, cv::Scalar(1));
    cv::randu(noise, 0, 200);
    std::vector<cv::Vec3b> colours;
    for (int i = 0; i < 256; ++i) {
        colours.emplace_back(i, 255 - i, i ^ 0x55);
    }
    for (const cv::Mat& numbers : {noise, calm}) {
        cv::Mat expected(numbers.size(), CV_8UC3);
        std::transform(numbers.begin<uint8_t>(), numbers.end<uint8_t>(),
                       expected.begin<cv::Vec3b>(),
                       [&](uint8_t number) { return colours[number]; });
        for (const bool keeps_full_table : {false, true}) {
            for (const bool is_interlaced : {false, true}) {
                const cv::Mat image = decoded(gif_file(numbers, colours,
                                                       {.is_interlaced = is_interlaced,
                                                        .has_own_palette = keeps_full_table,
                                                        .keeps_full_table = keeps_full_table}));
                ASSERT_EQ(image.type(), CV_8UC3);
                EXPECT_EQ(cv::norm(image, expected, cv::NORM_INF), 0)
                    << keeps_full_table << is_interlaced;
            }
        }
    }
}

TEST(ImageDecode, GifsShowTheirFirstPictureOnTheCanvas) {
    cv::Mat numbers(4, 6, CV_8U, cv::Scalar(0));
    numbers.colRange(3, 6).setTo(1);
    const std::vector<cv::Vec3b> colours{{0, 0, 255}, {255, 0, 0}};

    const FileBytes glass = gif_file(numbers, colours, {.transparent = 1});
    EXPECT_EQ(image_info(glass).channels, 4u);
    EXPECT_EQ(decoded(glass).at<cv::Vec4b>(1, 1), cv::Vec4b(0, 0, 255, 255));
    EXPECT_EQ(decoded(glass).at<cv::Vec4b>(1, 4)[3], 0);

    // What the picture leaves free is transparent; what is beyond the canvas is cut off.
    const FileBytes moved = gif_file(numbers, colours, {.canvas = {10, 5}, .place = {5, 3}});
    EXPECT_EQ(image_info(moved).width, 10u);
    EXPECT_EQ(image_info(moved).height, 5u);
    EXPECT_EQ(image_info(moved).channels, 4u);
    const cv::Mat canvas = decoded(moved);
    ASSERT_EQ(canvas.size(), cv::Size(10, 5));
    EXPECT_EQ(canvas.at<cv::Vec4b>(2, 6)[3], 0);
    EXPECT_EQ(canvas.at<cv::Vec4b>(3, 4)[3], 0);
    EXPECT_EQ(canvas.at<cv::Vec4b>(3, 5), cv::Vec4b(0, 0, 255, 255));
    EXPECT_EQ(canvas.at<cv::Vec4b>(4, 9), cv::Vec4b(255, 0, 0, 255));

    const FileBytes larger = gif_file(numbers, colours, {.canvas = {2, 2}});
    EXPECT_EQ(image_info(larger).channels, 3u);
    EXPECT_EQ(decoded(larger).at<cv::Vec3b>(1, 1), cv::Vec3b(0, 0, 255));
    EXPECT_EQ(fault_of(larger, {.max_pixels = 23}), ImageFault::kTooLarge);

    // A second picture, and whatever else follows, changes nothing.
    FileBytes long_file = gif_file(numbers, colours);
    long_file.pop_back();
    long_file.insert(long_file.end(), 1000, ',');
    EXPECT_EQ(decoded(long_file).at<cv::Vec3b>(1, 4), cv::Vec3b(255, 0, 0));
}

// Made by giflib: 20 x 16 pixels of 16 colours, pixel (x, y) of grey 17 * (x * x + 3 * y) % 16.
TEST(ImageDecode, GifsOfOthersComeBack) {
    const cv::Mat image = decoded(corpus_file("gif"));
    ASSERT_EQ(image.size(), cv::Size(20, 16));
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            const int grey = 17 * ((x * x + 3 * y) % 16);
            ASSERT_EQ(image.at<cv::Vec3b>(y, x), cv::Vec3b(grey, grey, grey)) << x << ' ' << y;
        }
    }
}

TEST(ImageDecode, DamagedGifsAreErrors) {
    const FileBytes file = gif_file(cv::Mat(4, 6, CV_8U, cv::Scalar(0)), {{0, 0, 255}, {9, 9, 9}});
    const auto changed = [&file](size_t offset, uint8_t value) {
        FileBytes copy = file;
        copy.at(offset) = value;
        return copy;
    };
    constexpr size_t kFlags = 10, kComment = 19;
    const size_t picture = kComment + 9 + 8;
    ASSERT_EQ(file[kComment], 0x21);
    ASSERT_EQ(file[picture], ',');
    EXPECT_EQ(fault_of(changed(kFlags, 0)), ImageFault::kUnreadable) << "no palette";
    EXPECT_EQ(fault_of(changed(picture, ';')), ImageFault::kUnreadable) << "no picture";
    EXPECT_EQ(fault_of(changed(picture + 5, 0)), ImageFault::kUnreadable) << "no width";
    for (const int bits : {0, 9, 34, 255}) {
        EXPECT_EQ(fault_of(changed(picture + 10, bits)), ImageFault::kUnreadable) << bits;
    }
    EXPECT_EQ(fault_of(changed(picture + 12, 0xff)), ImageFault::kUnreadable) << "no such code";
    EXPECT_EQ(fault_of(changed(picture + 11, 0)), ImageFault::kUnreadable) << "no pixels";
    EXPECT_EQ(fault_of(changed(6, 0)), ImageFault::kUnreadable) << "no canvas";
}

TEST(ImageDecode, PagesShowTheFirst) {
    const cv::Mat image = quarters(64, 32);
    const FileBytes file = tiff_of_pages(image, quarters(20, 30));
    EXPECT_EQ(image_info(file).width, 64u);
    EXPECT_EQ(difference_at_quarters(decoded(file), image), 0);
}

TEST(ImageDecode, LargeJpegsAreDecodedSmaller) {
    const FileBytes file = encoded(quarters(640, 480), ".jpg");
    EXPECT_EQ(decode_image(file, kLimits, 640 * 480).cols, 640);
    EXPECT_EQ(decode_image(file, kLimits, 320 * 240).cols, 320);
    EXPECT_EQ(decode_image(file, kLimits, 320 * 240 + 1).cols, 640);
    EXPECT_EQ(decode_image(file, kLimits, 1).cols, 80);
}

TEST(ImageDecode, UnreadFormatsAreNamed) {
    const auto bytes = [](const std::string& text) { return FileBytes(text.begin(), text.end()); };
    EXPECT_EQ(message_of(bytes(std::string("\0\0\0\x0cJXL \r\n\x87\n", 12))),
              "JPEG XL images are not supported");
    EXPECT_EQ(message_of(bytes("hello")), "image format is not recognized");
    EXPECT_EQ(message_of(bytes("")), "image is empty");
    EXPECT_EQ(fault_of(bytes("%PDF-1.7....")), ImageFault::kUnsupportedFormat);
    EXPECT_EQ(fault_of(bytes("P")), ImageFault::kUnsupportedFormat);
}

void put_big(FileBytes& file, size_t offset, uint32_t value) {
    for (int i = 0; i < 4; ++i) {
        file[offset + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
    }
}

TEST(ImageDecode, TooManyPixelsAreRefusedFromTheHeader) {
    FileBytes bomb = encoded(quarters(16, 16), ".png");
    put_big(bomb, 16, 50'000);
    put_big(bomb, 20, 50'000);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(message_of(bomb),
              "PNG image of 50000 x 50000 pixels is too large, at most 1000000 pixels are allowed");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
    EXPECT_EQ(fault_of(bomb), ImageFault::kTooLarge);
    for (const auto& format : kFormats) {
        EXPECT_EQ(fault_of(encoded(quarters(60, 40), format.extension), {.max_pixels = 2399}),
                  ImageFault::kTooLarge)
            << format.name;
        EXPECT_EQ(decode_image(encoded(quarters(60, 40), format.extension), {.max_pixels = 2400},
                               kAllPixels)
                      .cols,
                  60)
            << format.name;
    }
}

// An animation whose canvas is small but whose frame is not; a TIFF with two widths or huge tiles.
TEST(ImageDecode, TheLargestSizeInTheFileCounts) {
    const FileBytes still = encoded(quarters(200, 200), ".webp", {cv::IMWRITE_WEBP_QUALITY, 101});
    FileBytes liar = animated_webp({still}, 10, 10);
    EXPECT_EQ(image_info(liar).width, 10u);
    EXPECT_EQ(fault_of(liar, {.max_pixels = 10'000}), ImageFault::kTooLarge);

    FileBytes twice = tiff_file(quarters(20, 20), 1);
    constexpr size_t kSecondTag = 8 + 2 + 12, kFifthTag = 8 + 2 + 4 * 12;
    FileBytes second_width(twice.begin() + 10, twice.begin() + kSecondTag);
    second_width[9] = 0xff;  // 65,300 and more
    std::copy(second_width.begin(), second_width.end(), twice.begin() + kFifthTag);
    EXPECT_EQ(fault_of(twice), ImageFault::kTooLarge);
}

TEST(ImageDecode, TruncatedFilesAreErrors) {
    for (const auto& format : kFormats) {
        const FileBytes file = encoded(quarters(60, 40), format.extension);
        for (const double share : {0.02, 0.3, 0.7}) {
            const auto length = static_cast<size_t>(file.size() * share);
            const FileBytes cut(file.begin(), file.begin() + std::max<size_t>(length, 12));
            EXPECT_EQ(fault_of(cut), ImageFault::kUnreadable) << format.name << " at " << share;
        }
    }
}

TEST(ImageThumbnail, FitsAndKeepsAlpha) {
    const FileBytes photo = with_exif(encoded(quarters(640, 320), ".jpg"), exif_block(6));
    const FileBytes small = make_thumbnail(photo, 64, kLimits);
    EXPECT_EQ(image_info(small).format, "JPEG");
    EXPECT_EQ(image_info(small).width, 32u);
    EXPECT_EQ(image_info(small).height, 64u);
    EXPECT_EQ(image_info(small).orientation, 1);

    cv::Mat glass(100, 50, CV_8UC4, cv::Scalar(10, 20, 30, 40));
    const FileBytes clear = make_thumbnail(encoded(glass, ".png"), 20, kLimits);
    EXPECT_EQ(image_info(clear).format, "PNG");
    EXPECT_EQ(image_info(clear).channels, 4u);
    EXPECT_EQ(image_info(clear).height, 20u);
    EXPECT_EQ(decoded(clear).at<cv::Vec4b>(5, 5), cv::Vec4b(10, 20, 30, 40));

    const FileBytes tiny = encoded(quarters(8, 8), ".png");
    EXPECT_EQ(image_info(make_thumbnail(tiny, 64, kLimits)).width, 8u);
    const FileBytes line = encoded(quarters(4000, 2), ".png");
    EXPECT_EQ(image_info(make_thumbnail(line, 64, kLimits)).height, 1u);
}

}  // namespace
}  // namespace lookalike

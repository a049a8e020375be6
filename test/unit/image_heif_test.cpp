#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "image/decode.h"
#include "image_heif_sample.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 1'000'000};
constexpr int kTolerance = 8;  // of pictures that lost something

cv::Mat decoded(const FileBytes& file) {
    return decode_image(file, kLimits, UINT32_MAX);
}

// Nothing when the file is read.
std::string error_of(const FileBytes& file, ImageFault fault, ImageLimits limits = kLimits) {
    try {
        decode_image(file, limits, UINT32_MAX);
    } catch (const ImageError& error) {
        EXPECT_EQ(error.fault, fault) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
}

bool is_damaged(const FileBytes& file) {
    return error_of(file, ImageFault::kUnreadable).ends_with(" image: it is damaged or incomplete");
}

// Greatest difference of any channel away from the borders of the quarters.
int difference(const cv::Mat& image, const cv::Mat& expected) {
    if (image.size() != expected.size() || image.type() != expected.type()) return 1000;
    int greatest = 0;
    for (const int y : {image.rows / 4, image.rows * 3 / 4}) {
        for (const int x : {image.cols / 4, image.cols * 3 / 4}) {
            for (int channel = 0; channel < 3; ++channel) {
                const auto value = image.ptr(y, x)[channel], wanted = expected.ptr(y, x)[channel];
                greatest = std::max(greatest, std::abs(value - wanted));
            }
        }
    }
    return greatest;
}

struct Sample {
    const char* name;
    const char* format;
    uint32_t width, height, channels;
    int orientation;
    int tolerance;
};

// Made by heif-enc 1.15 with x265 and by avifenc 0.11 with libaom.
TEST(ImageHeif, FilesOfOthersComeBack) {
    constexpr Sample kSamples[] = {
        {"heic", "HEIC", 128, 64, 3, 1, 8},        {"heic_odd", "HEIC", 61, 41, 3, 1, 8},
        {"heic_10bit", "HEIC", 256, 128, 3, 1, 8}, {"avif", "AVIF", 128, 64, 3, 1, 8},
        {"avif_odd", "AVIF", 61, 41, 3, 1, 8},     {"avif_grid", "AVIF", 128, 128, 3, 1, 8},
        {"avif_10bit", "AVIF", 64, 32, 3, 1, 8},   {"avif_12bit", "AVIF", 64, 32, 3, 1, 8},
        {"avif_limited", "AVIF", 64, 32, 3, 1, 8}, {"avif_rgb", "AVIF", 64, 32, 3, 1, 0},
        {"avif_2020", "AVIF", 64, 32, 3, 1, 8}};
    for (const Sample& sample : kSamples) {
        const FileBytes file = corpus_file(sample.name);
        const ImageInfo info = image_info(file);
        EXPECT_EQ(info.format, sample.format) << sample.name;
        EXPECT_EQ(info.width, sample.width) << sample.name;
        EXPECT_EQ(info.height, sample.height) << sample.name;
        EXPECT_EQ(info.channels, sample.channels) << sample.name;
        EXPECT_EQ(info.orientation, sample.orientation) << sample.name;
        const cv::Mat expected =
            quarters(static_cast<int>(sample.width), static_cast<int>(sample.height));
        EXPECT_LE(difference(decoded(file), expected), sample.tolerance) << sample.name;
    }
}

TEST(ImageHeif, GreyBecomesColour) {
    for (const char* name : {"heic_grey", "avif_grey"}) {
        const FileBytes file = corpus_file(name);
        EXPECT_EQ(image_info(file).channels, 1u) << name;
        const cv::Mat image = decoded(file);
        ASSERT_EQ(image.type(), CV_8UC3) << name;
        for (const int x : {0, 20, 63}) {
            for (int channel = 0; channel < 3; ++channel) {
                EXPECT_NEAR(image.at<cv::Vec3b>(10, x)[channel], 4 * x, 4) << name;
            }
        }
    }
}

// Columns of eight pixels with an opacity of 36 more each.
TEST(ImageHeif, AlphaIsKept) {
    for (const char* name : {"heic_alpha", "avif_premultiplied"}) {
        const FileBytes file = corpus_file(name);
        EXPECT_EQ(image_info(file).channels, 4u) << name;
        const cv::Mat image = decoded(file);
        ASSERT_EQ(image.type(), CV_8UC4) << name;
        for (const int x : {3, 35, 60}) {
            EXPECT_NEAR(image.at<cv::Vec4b>(20, x)[3], x / 8 * 36, 2) << name;
        }
        EXPECT_NEAR(image.at<cv::Vec4b>(24, 60)[2], 255, 8) << name;
        EXPECT_NEAR(image.at<cv::Vec4b>(24, 20)[0], 255, 16) << name;
        EXPECT_NEAR(composed_on_white(image).at<cv::Vec3b>(24, 3)[2], 255, 1) << name;
    }
}

TEST(ImageHeif, CropIsTakenBeforeTheTurn) {
    const FileBytes file = corpus_file("avif_crop");  // 40 x 24 from (8, 4) of 64 x 32
    EXPECT_EQ(image_info(file).width, 40u);
    EXPECT_LE(difference(decoded(file), quarters(64, 32)(cv::Rect(8, 4, 40, 24))), kTolerance);

    HeifSampleItem item = heif_item_of("heic");
    // 60 x 40 from (14, 17): the crop's centre is 20 left of and 5 below the picture's.
    item.properties.push_back(heif_crop({60, 1, 80, 2, -20, 1, 10, 2}));
    item.properties.push_back(heif_rotation(1));
    const FileBytes turned = heif_file({item});
    EXPECT_EQ(image_info(turned).width, 60u);
    EXPECT_EQ(image_info(turned).orientation, 8);
    cv::Mat expected;
    cv::rotate(quarters(128, 64)(cv::Rect(14, 17, 60, 40)), expected,
               cv::ROTATE_90_COUNTERCLOCKWISE);
    const cv::Mat image = decoded(turned);
    ASSERT_EQ(image.size(), expected.size());
    for (const auto& [x, y] : {std::pair{3, 3}, {3, 56}, {36, 3}, {36, 56}}) {
        for (int channel = 0; channel < 3; ++channel) {
            EXPECT_NEAR(image.at<cv::Vec3b>(y, x)[channel], expected.at<cv::Vec3b>(y, x)[channel],
                        kTolerance);
        }
    }
    for (const std::vector<int32_t>& crop : {std::vector<int32_t>{60, 0, 40, 1, 0, 1, 0, 1},
                                             {0, 1, 40, 1, 0, 1, 0, 1},
                                             {130, 1, 40, 1, 0, 1, 0, 1},
                                             {60, 1, 40, 1, 36, 1, 0, 1},
                                             {60, 1, 40, 1, 0, 1, -14, 1},
                                             {INT32_MAX, 1, 40, 1, INT32_MIN, 1, 0, 1}}) {
        item.properties[2] = heif_crop(crop);
        EXPECT_TRUE(is_damaged(heif_file({item}))) << crop[0];
    }
    std::swap(item.properties[2], item.properties[3]);
    EXPECT_EQ(error_of(heif_file({item}), ImageFault::kUnsupportedFormat),
              "HEIF images that are turned, then cropped are not supported");
}

// The boxes alone decide; EXIF repeats what they say.
TEST(ImageHeif, TurnsAndMirrorsAreAppliedOnce) {
    EXPECT_EQ(image_info(corpus_file("avif_turned")).orientation, 5);
    EXPECT_LE(difference(decoded(corpus_file("avif_turned")), quarters(64, 32).t()), 8);
    const HeifSampleItem picture = heif_item_of("avif");
    const HeifSampleItem exif{
        .type = "Exif", .properties = {}, .pieces = {exif_block(6)}, .references = {{"cdsc", {1}}}};
    const cv::Mat image = quarters(128, 64);
    EXPECT_LE(difference(decoded(heif_file({picture, exif})), image), kTolerance);
    for (int turns = 0; turns < 4; ++turns) {
        for (const int axis : {-1, 0, 1}) {
            for (const bool mirrors_first : {false, true}) {
                HeifSampleItem item = picture;
                cv::Mat expected = image.clone();
                const auto mirror = [&] {
                    if (axis < 0) return;
                    item.properties.push_back(heif_mirror(axis));
                    cv::flip(expected.clone(), expected, axis);  // 0: top and bottom change places
                };
                if (mirrors_first) mirror();
                item.properties.push_back(heif_rotation(turns));
                for (int i = 0; i < turns; ++i) {
                    cv::rotate(expected.clone(), expected, cv::ROTATE_90_COUNTERCLOCKWISE);
                }
                if (!mirrors_first) mirror();
                const FileBytes file = heif_file({item, exif});
                EXPECT_EQ(image_info(file).width, 128u);
                EXPECT_LE(difference(decoded(file), expected), kTolerance)
                    << turns << " turns, axis " << axis << ", mirrors first " << mirrors_first;
            }
        }
    }
}

// Two rows of three tiles, all the same picture, of which the last column and row are cut.
std::vector<HeifSampleItem> grid_of(const std::string& name, uint32_t width, uint32_t height) {
    return {{.type = "grid",
             .properties = {heif_size(width, height)},
             .pieces = {heif_grid(2, 3, width, height)},
             .is_inline = true,
             .references = {{"dimg", {2, 2, 2, 2, 2, 2}}}},
            heif_item_of(name)};
}

TEST(ImageHeif, TilesBecomeOnePicture) {
    for (const char* name : {"heic", "avif"}) {
        const FileBytes file = heif_file(grid_of(name, 320, 100));
        EXPECT_EQ(image_info(file).width, 320u);
        EXPECT_EQ(image_info(file).height, 100u);
        const cv::Mat expected = cv::repeat(quarters(128, 64), 2, 3)(cv::Rect(0, 0, 320, 100));
        const cv::Mat image = decoded(file);
        ASSERT_EQ(image.size(), expected.size());
        for (int y = 5; y < 100; y += 10) {
            for (int x = 5; x < 320; x += 10) {
                for (int channel = 0; channel < 3; ++channel) {
                    EXPECT_NEAR(image.at<cv::Vec3b>(y, x)[channel],
                                expected.at<cv::Vec3b>(y, x)[channel], kTolerance)
                        << name << ' ' << x << ' ' << y;
                }
            }
        }
    }
    for (const auto& [width, height] :
         {std::pair{385, 100}, {320, 129}, {256, 100}, {320, 64}, {0, 100}}) {
        EXPECT_TRUE(is_damaged(heif_file(grid_of("avif", width, height)))) << width;
    }
    std::vector<HeifSampleItem> items = grid_of("avif", 320, 100);
    items[0].references[0].second.pop_back();
    EXPECT_TRUE(is_damaged(heif_file(items))) << "a tile too few";
    items[0].references.clear();
    EXPECT_TRUE(is_damaged(heif_file(items))) << "no tiles";
    items = grid_of("avif", 320, 100);
    items[0].references[0].second[3] = 7;
    EXPECT_TRUE(is_damaged(heif_file(items))) << "a tile that is not there";
    items[0].references[0].second[3] = 3;
    items.push_back(heif_item_of("avif_10bit"));
    EXPECT_TRUE(is_damaged(heif_file(items))) << "tiles of different sizes";
    items[2] = heif_item_of("heic");
    EXPECT_TRUE(is_damaged(heif_file(items))) << "tiles of different codecs";
}

TEST(ImageHeif, AlphaMayBeTiledToo) {
    std::vector<HeifSampleItem> items = grid_of("avif", 320, 100);
    HeifSampleItem alpha = items[0];
    alpha.properties.push_back(heif_alpha_kind());
    alpha.references.push_back({"auxl", {1}});
    items.push_back(alpha);
    EXPECT_EQ(image_info(heif_file(items)).channels, 4u);
    EXPECT_EQ(decoded(heif_file(items)).type(), CV_8UC4);
    // Luma of the green quarter.
    EXPECT_NEAR(decoded(heif_file(items)).at<cv::Vec4b>(5, 100)[3], 0.587 * 255, 4);
    items[2] = heif_item_of("avif");
    items[2].properties.push_back(heif_alpha_kind());
    items[2].references.push_back({"auxl", {1}});
    EXPECT_TRUE(is_damaged(heif_file(items))) << "of another size";
}

TEST(ImageHeif, DataMayLieInPieces) {
    HeifSampleItem item = heif_item_of("heic");
    const FileBytes whole = item.pieces[0];
    item.pieces = {{whole.begin(), whole.begin() + 7}, {whole.begin() + 7, whole.end()}};
    EXPECT_LE(difference(decoded(heif_file({item})), quarters(128, 64)), kTolerance);
    item.is_inline = true;
    EXPECT_LE(difference(decoded(heif_file({item})), quarters(128, 64)), kTolerance);
    item = heif_item_of("avif");
    item.pieces = {{item.pieces[0].begin(), item.pieces[0].begin() + 1},
                   {item.pieces[0].begin() + 1, item.pieces[0].end()}};
    EXPECT_LE(difference(decoded(heif_file({item})), quarters(128, 64)), kTolerance);
}

TEST(ImageHeif, OtherKindsAreNamed) {
    HeifSampleItem item = heif_item_of("heic");
    item.type = "jpeg";
    EXPECT_EQ(error_of(heif_file({item}), ImageFault::kUnsupportedFormat),
              "HEIF images of kind \"jpeg\" are not supported");
    item.type = "i\"\x01n";
    EXPECT_EQ(error_of(heif_file({item}), ImageFault::kUnsupportedFormat),
              "HEIF images of kind \"i??n\" are not supported");
    FileBytes sequence = heif_box("ftyp", {'h', 'e', 'v', 'c', 0, 0, 0, 0});
    const FileBytes movie = heif_box("moov", {});
    sequence.insert(sequence.end(), movie.begin(), movie.end());
    EXPECT_EQ(error_of(sequence, ImageFault::kUnsupportedFormat),
              "image sequences without a still image are not supported");
    EXPECT_LE(difference(decoded(heif_file({heif_item_of("avif")}, "avif")), quarters(128, 64)),
              kTolerance);
    EXPECT_EQ(error_of(heif_file({heif_item_of("avif")}, "isom"), ImageFault::kUnsupportedFormat),
              "image format is not recognized");
}

TEST(ImageHeif, SizesAreRefusedFromTheHeader) {
    HeifSampleItem item = heif_item_of("avif");
    item.properties[0] = heif_size(50'000, 50'000);
    item.pieces = {{0}};
    EXPECT_EQ(error_of(heif_file({item}), ImageFault::kTooLarge),
              "AVIF image of 50000 x 50000 pixels is too large, at most 1000000 pixels are "
              "allowed");
    for (const char* name : {"heic", "avif"}) {
        std::vector<HeifSampleItem> items = grid_of(name, 320, 100);
        EXPECT_EQ(decode_image(heif_file(items), {.max_pixels = 320 * 100}, 1).cols, 320) << name;
        error_of(heif_file(items), ImageFault::kTooLarge, {.max_pixels = 320 * 100 - 1});
        // A tile that is larger than the picture.
        items[0].pieces = {heif_grid(1, 1, 2, 2)};
        items[0].references[0].second = {2};
        error_of(heif_file(items), ImageFault::kTooLarge, {.max_pixels = 128 * 64 - 1});
    }
}

// What the coded picture says of its size counts as well: HEVC's is in the header.
TEST(ImageHeif, CodedPicturesAreNotLargerThanTheHeaderSays) {
    HeifSampleItem hevc = heif_item_of("heic");
    hevc.properties[0] = heif_size(8, 8);
    EXPECT_EQ(decoded(heif_file({hevc})).cols, 8);
    error_of(heif_file({hevc}), ImageFault::kTooLarge, {.max_pixels = 128 * 64 - 1});
    HeifSampleItem av1 = heif_item_of("avif");
    av1.properties[0] = heif_size(8, 8);
    EXPECT_TRUE(is_damaged(heif_file({av1})));
    for (HeifSampleItem item : {heif_item_of("heic"), heif_item_of("avif")}) {
        item.properties[0] = heif_size(100, 100);
        EXPECT_TRUE(is_damaged(heif_file({item}))) << "smaller than the header says";
    }
    // Parameters within the data, which no header shows: those of a picture of 256 x 128.
    hevc = heif_item_of("heic");
    const FileBytes larger = heif_item_of("heic_10bit").properties[1];
    constexpr size_t kArrays = 8 + 23;
    for (size_t offset = kArrays; offset < larger.size();) {
        const size_t length = larger[offset + 3] << 8 | larger[offset + 4];
        FileBytes unit{0, 0, larger[offset + 3], larger[offset + 4]};
        unit.insert(unit.end(), larger.begin() + offset + 5, larger.begin() + offset + 5 + length);
        hevc.pieces[0].insert(hevc.pieces[0].begin(), unit.begin(), unit.end());
        offset += 5 + length;
    }
    EXPECT_TRUE(is_damaged(heif_file({hevc})));
}

TEST(ImageHeif, CountsAreBounded) {
    // As many items as an iloc box of version 2 can tell, each without data.
    FileBytes meta{0, 0, 0, 0}, locations{2, 0, 0, 0, 0, 0, 0, 1, 0x86, 0xa1};
    for (uint32_t item = 0; item < 100'001; ++item) {
        for (const uint32_t byte :
             {item >> 24, item >> 16, item >> 8, item, 0u, 0u, 0u, 0u, 0u, 0u}) {
            locations.push_back(static_cast<uint8_t>(byte));
        }
    }
    const FileBytes box = heif_box("iloc", locations);
    meta.insert(meta.end(), box.begin(), box.end());
    FileBytes file = heif_box("ftyp", {'h', 'e', 'i', 'c', 0, 0, 0, 0});
    const FileBytes meta_box = heif_box("meta", meta);
    file.insert(file.end(), meta_box.begin(), meta_box.end());
    EXPECT_EQ(error_of(file, ImageFault::kTooLarge),
              "HEIF image is too large, at most 100000 items are allowed");
    // An item that names the whole file again and again.
    HeifSampleItem item = heif_item_of("avif");
    item.pieces.assign(60'000, {});
    EXPECT_TRUE(is_damaged(heif_file({item})));
}

TEST(ImageHeif, TruncatedFilesAreErrors) {
    for (const char* name : {"heic", "heic_alpha", "avif", "avif_grid", "avif_sequence"}) {
        const FileBytes file = corpus_file(name);
        for (size_t length = 16; length < file.size(); length += 1 + file.size() / 97) {
            const FileBytes cut(file.begin(), file.begin() + length);
            try {
                // What an animation holds beyond its first picture may be missing.
                EXPECT_EQ(decoded(cut).size(), decoded(file).size()) << name << ' ' << length;
                EXPECT_STREQ(name, "avif_sequence") << length;
            } catch (const ImageError& error) {
                EXPECT_EQ(error.fault, ImageFault::kUnreadable) << name << ' ' << length;
            }
        }
        FileBytes longer = file;
        longer.insert(longer.end(), 1000, 0x55);
        EXPECT_EQ(decoded(longer).size(), decoded(file).size()) << name;
    }
}

}  // namespace
}  // namespace lookalike

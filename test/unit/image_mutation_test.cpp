#include <gtest/gtest.h>

#include <random>

#include "image/image.h"
#include "image_samples.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 200'000};

FileBytes mutated(FileBytes file, std::mt19937& random) {
    const auto below = [&random](size_t limit) { return random() % limit; };
    for (size_t i = 0, count = 1 + below(6); i < count; ++i) {
        // Headers deserve most of the damage.
        const size_t place =
            below(2) == 0 ? below(std::min<size_t>(file.size(), 64)) : below(file.size());
        constexpr uint8_t kTelling[] = {0, 1, 0x7f, 0x80, 0xff};
        file[place] = below(2) == 0 ? kTelling[below(5)] : static_cast<uint8_t>(random());
    }
    if (below(8) == 0) file.resize(1 + below(file.size()));
    return file;
}

// Every mutated file gives a descriptor or our error; the sanitizers watch the rest.
TEST(ImageMutation, EveryFileEndsInADescriptorOrAnError) {
    std::vector<FileBytes> files;
    for (const char* extension :
         {".jpg", ".png", ".webp", ".bmp", ".tiff", ".ppm", ".jp2", ".gif"}) {
        files.push_back(encoded(quarters(60, 40), extension));
    }
    files.push_back(with_exif(files[0], exif_block(6)));
    files.push_back(tiff_file(quarters(30, 20), 5));
    files.push_back(animated_webp({files[2]}, 60, 40));
    files.emplace_back(kTransparentPalettePng.begin(), kTransparentPalettePng.end());
    files.emplace_back(kCmykJpeg.begin(), kCmykJpeg.end());
    for (const char* name : {"heic", "heic_alpha", "avif", "avif_grid", "avif_turned", "jp2_420",
                             "jp2_palette", "jp2_alpha"}) {
        files.push_back(corpus_file(name));
    }
    const ExtractorSpec spec = parse_extractor_spec("color");
    std::mt19937 random(7);
    int descriptors = 0, errors = 0;
    testing::internal::CaptureStderr();  // the decoders complain there
    for (const FileBytes& file : files) {
        for (int i = 0; i < 150; ++i) {
            const FileBytes damaged = mutated(file, random);
            try {
                descriptors += extract_features(damaged, spec, kLimits, nullptr).dims > 0;
                make_thumbnail(damaged, 16, kLimits);
            } catch (const ImageError&) {
                ++errors;
            } catch (const std::bad_alloc&) {
                ++errors;
            }
        }
    }
    testing::internal::GetCapturedStderr();
    EXPECT_GT(descriptors, 100);
    EXPECT_GT(errors, 100);
}

}  // namespace
}  // namespace lookalike

// Codebooks as extractors of pictures.
#include <gtest/gtest.h>

#include <cstring>
#include <opencv2/imgproc.hpp>
#include <random>

#include "image/local_extract.h"
#include "image/model_store.h"
#include "image_samples.h"
#include "learn/codebook.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 4'000'000};
constexpr LocalExtraction kWanted{LocalKind::kOrb, 40, false};

FileBytes discs(uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](uint32_t end) { return static_cast<int>(random() % end); };
    cv::Mat image(240, 320, CV_8UC3, cv::Scalar(90, 120, 140));
    for (int i = 0; i < 80; ++i)
        cv::circle(image, {below(320), below(240)}, 4 + below(20),
                   cv::Scalar(below(256), below(256), below(256)), cv::FILLED);
    return encoded(image, ".png");
}

std::vector<uint8_t> learned(CodebookAim aim) {
    std::vector<std::vector<uint8_t>> values;
    std::vector<LocalFeatures> pictures;
    for (uint32_t seed = 1; seed <= 8; ++seed)
        values.push_back(extract_local_features(discs(seed), kWanted, kLimits));
    for (const auto& value : values)
        pictures.push_back(view_local_features(value.data()));
    const std::vector<std::byte> bytes =
        learn_codebook(pictures, {.aim = aim,
                                  .kind = kWanted.kind,
                                  .max_features = kWanted.max_features,
                                  .word_count = 6,
                                  .most_features = 1000,
                                  .most_pictures = 8});
    const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
    return {begin, begin + bytes.size()};
}

std::vector<float> reals(const Features& features) {
    std::vector<float> result(features.dims);
    std::memcpy(result.data(), features.elements.data(), features.elements.size());
    return result;
}

struct Store : ModelStore {
    explicit Store(CodebookAim aim) : ModelStore(make_engine(), 100 << 20) {
        load_codebook("codebook:discs@1", learned(aim));
    }
};

std::vector<float> extracted(ModelStore& models, const FileBytes& image, const char* spec) {
    return reals(extract_features(image, parse_extractor_spec(spec), kLimits, &models));
}

TEST(ImageCodebook, DescribesPicturesByTheirLocalFeatures) {
    const auto bytes = learned(CodebookAim::kVlad);
    const CodebookView codebook = parse_codebook(std::as_bytes(std::span(bytes)));
    Store models(CodebookAim::kVlad);
    const FileBytes image = discs(20);
    const auto value = extract_local_features(image, kWanted, kLimits);
    std::vector<float> expected(codebook.header.dims);
    describe_by_words(codebook, view_local_features(value.data()), expected.data());
    EXPECT_EQ(extracted(models, image, "vlad:discs@1"), expected);
    EXPECT_EQ(models.find("codebook:discs@1")->dims(), codebook.header.dims);
    EXPECT_EQ(models.memory_bytes(), bytes.size());
}

TEST(ImageCodebook, StandsBesideOthers) {
    Store models(CodebookAim::kBow);
    const FileBytes image = discs(20);
    const auto words = extracted(models, image, "bow:discs@1");
    const auto colours = extracted(models, image, "color");
    auto both = extracted(models, image, "bow:discs@1:4+color");
    ASSERT_EQ(both.size(), words.size() + colours.size());
    for (size_t i = 0; i < words.size(); ++i)
        EXPECT_EQ(both[i], 2 * words[i]);
    EXPECT_TRUE(std::equal(colours.begin(), colours.end(), both.begin() + words.size()));
    const FileBytes files[] = {discs(21), image};
    const std::span<const uint8_t> images[] = {files[0], files[1]};
    int read = 0;
    const auto batch = extract_features_batch(images, parse_extractor_spec("bow:discs@1"), kLimits,
                                              &models, [&] { ++read; });
    EXPECT_EQ(read, 2);
    EXPECT_EQ(reals(batch[1]), words);
}

TEST(ImageCodebook, IsCalledByItsKind) {
    Store models(CodebookAim::kFisher);
    const FileBytes image = discs(20);
    EXPECT_NO_THROW(extracted(models, image, "fisher:discs@1"));
    EXPECT_THROW(extracted(models, image, "vlad:discs@1"), ImageError);
    EXPECT_THROW(extracted(models, image, "fisher:discs@2"), ImageError);
    EXPECT_THROW(extracted(models, image, "net:discs@1"), ImageError);
    EXPECT_THROW(models.load_codebook("codebook:junk@1", FileBytes(40)), ImageError);
}

}  // namespace
}  // namespace lookalike

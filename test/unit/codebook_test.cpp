#include "core/codebook/codebook.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "each_target.h"
#include "local_set.h"

namespace lookalike {
namespace {

constexpr uint32_t kDims = 2;  // what the first two bytes of a SIFT feature say

// A codebook with two words in two dimensions, at (0.1, 0) and (0, 0.1).
struct Made {
    CodebookHeader header;
    std::vector<float> numbers;

    explicit Made(CodebookAim aim, uint32_t dims = 0) {
        header = {.magic = kCodebookMagic,
                  .version = kCodebookVersion,
                  .aim = aim,
                  .kind = LocalKind::kSift,
                  .local_version = local_version(LocalKind::kSift),
                  .is_reduced = dims > 0,
                  .reserved = 0,
                  .max_features = 10,
                  .word_count = 2,
                  .feature_dims = kDims,
                  .dims = dims,
                  .padding = 0};
        if (dims == 0) header.dims = static_cast<uint32_t>(word_sums(header));
        std::vector<float> input(map_numbers(128, kDims));
        input[0] = input[3] = 1;
        add(input);
        add_words(aim);
    }
    void add(const std::vector<float>& part) {
        numbers.insert(numbers.end(), part.begin(), part.end());
    }
    void add_words(CodebookAim aim) {
        if (aim == CodebookAim::kFisher) {
            // Variances are 0.01: mean / 0.01, then -0.5 / 0.01.
            add({10, 0, 0, 10, -50, -50, -50, -50, -0.5f, -0.5f});
            add({0.1f, 0, 0, 0.1f, 10, 10, 10, 10, 1, 0.5f, 1, 0.5f});
        } else {
            add({0.1f, 0, 0, 0.1f, -0.005f, -0.005f});
            add(aim == CodebookAim::kBow ? std::vector<float>{1, 3}
                                         : std::vector<float>{0.1f, 0, 0, 0.1f});
        }
    }
    std::vector<std::byte> bytes() const {
        std::vector<std::byte> result(sizeof(header) + numbers.size() * sizeof(float));
        std::memcpy(result.data(), &header, sizeof(header));
        std::memcpy(result.data() + sizeof(header), numbers.data(), numbers.size() * sizeof(float));
        return result;
    }
};

// Features of which only the first two bytes are not 0.
Bytes picture(const std::vector<std::pair<uint8_t, uint8_t>>& features) {
    std::vector<LocalSample> samples;
    for (const auto& [first, second] : features) {
        Bytes descriptor(128);
        descriptor[0] = first;
        descriptor[1] = second;
        samples.push_back({{1, 1, 1, 1, 1}, descriptor});
    }
    return local_value(local_header(LocalKind::kSift, 100, 100), samples);
}

std::vector<float> described(const std::vector<std::byte>& bytes, const Bytes& value) {
    const CodebookView codebook = parse_codebook(bytes);
    std::vector<float> result(codebook.header.dims, 99);
    describe_by_words(codebook, view_local_features(value.data()), result.data());
    return result;
}

TEST(Codebook, CountsWords) {
    const auto bytes = Made(CodebookAim::kBow).bytes();
    // Four features of the first word, one of the second, which weighs 3.
    const auto result = described(bytes, picture({{51, 0}, {90, 3}, {20, 1}, {51, 50}, {0, 51}}));
    ASSERT_EQ(result.size(), 2u);
    EXPECT_NEAR(result[0], 2 / std::sqrt(13.0), 1e-6);
    EXPECT_NEAR(result[1], 3 / std::sqrt(13.0), 1e-6);
}

TEST(Codebook, AddsUpWhereFeaturesLie) {
    const auto bytes = Made(CodebookAim::kVlad).bytes();
    const auto result = described(bytes, picture({{128, 64}, {64, 128}}));
    ASSERT_EQ(result.size(), 4u);
    // (0.25, 0.125) less (0.1, 0) and (0.125, 0.25) less (0, 0.1): each of length 1, roots,
    // length 1.
    EXPECT_NEAR(result[0], std::sqrt(0.15 / (2 * (0.15 + 0.125))), 1e-6);
    EXPECT_NEAR(result[1], result[2], 1e-6);
    EXPECT_NEAR(result[0], result[3], 1e-6);
    EXPECT_NEAR(result[0] * result[0] / (result[1] * result[1]), 0.15 / 0.125, 1e-4);
    double squared = 0;
    for (const float x : result)
        squared += double{x} * x;
    EXPECT_NEAR(squared, 1, 1e-6);
}

TEST(Codebook, KeepsTheSideOnWhichFeaturesLie) {
    const auto bytes = Made(CodebookAim::kVlad).bytes();
    const auto result = described(bytes, picture({{25, 0}}));
    EXPECT_NEAR(result[0], -1, 1e-6);
    EXPECT_EQ(result[2], 0);
}

TEST(Codebook, SharesFeaturesBetweenWords) {
    const auto bytes = Made(CodebookAim::kFisher).bytes();
    ASSERT_EQ(parse_codebook(bytes).header.dims, 8u);
    // As near to one as to the other: both get a half.
    const auto half = described(bytes, picture({{51, 51}}));
    EXPECT_NEAR(half[0], half[5], 1e-6);
    EXPECT_NEAR(half[1], half[4], 1e-6);
    EXPECT_NEAR(half[2], half[7], 1e-6);
    // At its middle: no direction, and narrower than the word is.
    const auto middle = described(bytes, picture({{51, 0}}));
    EXPECT_LT(std::abs(middle[0]), 0.1);
    EXPECT_LT(middle[2], 0);
    EXPECT_LT(middle[3], 0);
    EXPECT_GT(std::abs(middle[2]), std::abs(middle[6]));
}

TEST(Codebook, MapsSums) {
    Made made(CodebookAim::kBow, 1);
    made.add({5, -5, 1});  // the first word less the second, and an offset
    EXPECT_EQ(described(made.bytes(), picture({{51, 0}})), std::vector<float>{1});
    EXPECT_EQ(described(made.bytes(), picture({{0, 51}})), std::vector<float>{-1});
}

TEST(Codebook, GivesPicturesWithoutFeaturesOneDescriptor) {
    Made made(CodebookAim::kBow, 2);
    made.add({5, 0, 0, 5, 3, -4});
    EXPECT_EQ(described(made.bytes(), picture({})), (std::vector<float>{0.6f, -0.8f}));
    for (const CodebookAim aim : {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher})
        for (const float x : described(Made(aim).bytes(), picture({})))
            EXPECT_EQ(x, 0);
}

TEST(Codebook, ReadsTheBitsOfOrb) {
    std::mt19937 random(1);
    const auto samples = random_samples(LocalKind::kOrb, 2, 0, 9, random);
    const Bytes value = local_value(local_header(LocalKind::kOrb, 100, 100), samples);
    std::vector<float> numbers(256);
    feature_numbers(view_local_features(value.data()), 1, numbers.data());
    double squared = 0;
    for (uint32_t bit = 0; bit < 256; ++bit) {
        EXPECT_EQ(numbers[bit] > 0, (samples[1].descriptor[bit / 8] & (128 >> bit % 8)) != 0);
        squared += numbers[bit] * numbers[bit];
    }
    EXPECT_EQ(squared, 1);
}

TEST(Codebook, IsTheSameOnEveryProcessor) {
    const Bytes value = picture({{128, 64}, {64, 128}, {3, 200}, {51, 51}});
    for (const CodebookAim aim : {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher}) {
        const auto bytes = Made(aim).bytes();
        std::vector<float> first;
        on_each_target([&] {
            const auto result = described(bytes, value);
            if (first.empty()) first = result;
            EXPECT_EQ(result, first);
        });
    }
}

TEST(Codebook, EndsWhereItIsToldTo) {
    const auto bytes = Made(CodebookAim::kVlad).bytes();
    const Bytes value = picture({{128, 64}});
    std::vector<float> result(4);
    EXPECT_THROW(describe_by_words(parse_codebook(bytes), view_local_features(value.data()),
                                   result.data(), [] { throw std::runtime_error("end"); }),
                 std::runtime_error);
}

TEST(Codebook, RefusesBytesThatAreNone) {
    const Made good(CodebookAim::kVlad);
    EXPECT_NO_THROW(parse_codebook(good.bytes()));
    const auto refuses = [&](auto&& change) {
        Made made = good;
        change(made);
        EXPECT_THROW(parse_codebook(made.bytes()), InvalidCodebook);
    };
    EXPECT_THROW(parse_codebook({}), InvalidCodebook);
    refuses([](Made& made) { made.header.magic = 1; });
    refuses([](Made& made) { made.header.version = 2; });
    refuses([](Made& made) { made.header.aim = CodebookAim{0}; });
    refuses([](Made& made) { made.header.aim = CodebookAim{4}; });
    refuses([](Made& made) { made.header.kind = LocalKind{3}; });
    refuses([](Made& made) { made.header.local_version = 9; });
    refuses([](Made& made) { made.header.is_reduced = 1; });
    refuses([](Made& made) { made.header.is_reduced = 2; });
    refuses([](Made& made) { made.header.reserved = 1; });
    refuses([](Made& made) { made.header.padding = 1; });
    refuses([](Made& made) { made.header.max_features = 0; });
    refuses([](Made& made) { made.header.max_features = kMaxLocalFeatures + 1; });
    refuses([](Made& made) { made.header.word_count = 0; });
    refuses([](Made& made) { made.header.word_count = 3; });
    refuses([](Made& made) { made.header.word_count = 0xffffffff; });
    refuses([](Made& made) { made.header.feature_dims = 0; });
    refuses([](Made& made) { made.header.feature_dims = 0x80000000; });
    refuses([](Made& made) { made.header.dims = 3; });
    refuses([](Made& made) { made.header.dims = 0; });
    refuses([](Made& made) { made.numbers.pop_back(); });
    refuses([](Made& made) { made.numbers.push_back(0); });
    refuses([](Made& made) { made.numbers[0] = NAN; });
    refuses([](Made& made) { made.numbers.back() = INFINITY; });
    refuses([](Made& made) { made.numbers.back() = -2 * kMaxCodebookNumber; });
}

}  // namespace
}  // namespace lookalike

#include "learn/codebook.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "learn/mixture.h"
#include "learn/wide_components.h"
#include "local_set.h"

namespace lookalike {
namespace {

// Pictures of four classes: a class has features near three of twelve places.
struct Pictures {
    std::vector<Bytes> values;
    std::vector<LocalFeatures> views;

    Pictures(LocalKind kind, size_t count, size_t features = 40) {
        std::mt19937 random(5);
        std::vector<Bytes> places;
        for (int i = 0; i < 12; ++i)
            places.push_back(random_bytes(local_descriptor_bytes(kind), random));
        for (size_t i = 0; i < count; ++i) {
            std::vector<LocalSample> samples;
            for (size_t k = 0; k < features; ++k) {
                Bytes descriptor = places[i % 4 * 3 + random() % 3];
                for (uint8_t& byte : descriptor)
                    byte = static_cast<uint8_t>(kind == LocalKind::kSift
                                                    ? byte / 8 + random() % 10
                                                    : byte ^ (1u << random() % 16));
                samples.push_back({{1, 1, 1, 1, 1}, descriptor});
            }
            values.push_back(local_value(local_header(kind, 100, 100), samples));
        }
        for (const Bytes& value : values)
            views.push_back(view_local_features(value.data()));
    }
};

CodebookOptions options_of(CodebookAim aim, LocalKind kind, uint32_t dims = 0) {
    return {.aim = aim,
            .kind = kind,
            .max_features = 100,
            .word_count = 12,
            .dims = dims,
            .most_features = 2000,
            .most_pictures = 100};
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
        sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    return sum;
}

// Whether the nearest other picture is of the same class, for how many of them.
double right_share(const std::vector<std::byte>& bytes, const Pictures& pictures) {
    const CodebookView codebook = parse_codebook(bytes);
    std::vector<std::vector<float>> all;
    for (const LocalFeatures& picture : pictures.views) {
        all.emplace_back(codebook.header.dims);
        describe_by_words(codebook, picture, all.back().data());
    }
    size_t right = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        size_t nearest = i == 0 ? 1 : 0;
        for (size_t j = 0; j < all.size(); ++j)
            if (j != i && squared_distance(all[i], all[j]) < squared_distance(all[i], all[nearest]))
                nearest = j;
        right += nearest % 4 == i % 4;
    }
    return static_cast<double>(right) / static_cast<double>(all.size());
}

TEST(LearnCodebook, TellsPicturesByTheirWords) {
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift}) {
        const Pictures pictures(kind, 60);
        for (const CodebookAim aim :
             {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher}) {
            SCOPED_TRACE(codebook_aim_name(aim));
            for (const uint32_t dims : {0u, 8u}) {
                const auto bytes = learn_codebook(pictures.views, options_of(aim, kind, dims));
                const CodebookView codebook = parse_codebook(bytes);
                EXPECT_EQ(codebook.header.word_count, 12u);
                EXPECT_EQ(codebook.header.dims, dims > 0 ? dims : word_sums(codebook.header));
                EXPECT_GT(right_share(bytes, pictures), 0.9);
            }
        }
    }
}

TEST(LearnCodebook, WhitensWhatItIsAskedTo) {
    const Pictures pictures(LocalKind::kSift, 80);
    CodebookOptions options = options_of(CodebookAim::kVlad, LocalKind::kSift, 8);
    const auto plain = learn_codebook(pictures.views, options);
    options.whiten = true;
    const auto whitened = learn_codebook(pictures.views, options);
    EXPECT_NE(plain, whitened);
    EXPECT_GT(right_share(whitened, pictures), 0.9);
}

TEST(LearnCodebook, GivesEqualBytesForEqualPictures) {
    const Pictures pictures(LocalKind::kSift, 40);
    for (const CodebookAim aim : {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher}) {
        const CodebookOptions options = options_of(aim, LocalKind::kSift, 5);
        EXPECT_EQ(learn_codebook(pictures.views, options), learn_codebook(pictures.views, options));
    }
}

TEST(LearnCodebook, TakesWhatThereIs) {
    // One picture with one feature, and one with none.
    const Pictures one(LocalKind::kSift, 1, 1);
    const Bytes none = local_value(local_header(LocalKind::kSift, 100, 100), {});
    const LocalFeatures views[] = {view_local_features(none.data()), one.views[0]};
    for (const CodebookAim aim : {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher}) {
        const auto bytes = learn_codebook(views, options_of(aim, LocalKind::kSift, 8));
        const CodebookView codebook = parse_codebook(bytes);
        EXPECT_EQ(codebook.header.word_count, 1u);
        EXPECT_EQ(codebook.header.is_reduced, 0);
        std::vector<float> result(codebook.header.dims);
        describe_by_words(codebook, views[1], result.data());
        EXPECT_TRUE(std::ranges::all_of(result, [](float x) { return std::isfinite(x); }));
    }
    // Fewer pictures than dimensions.
    const Pictures few(LocalKind::kSift, 5);
    const auto bytes =
        learn_codebook(few.views, options_of(CodebookAim::kVlad, LocalKind::kSift, 50));
    EXPECT_EQ(parse_codebook(bytes).header.dims, 4u);
}

TEST(LearnCodebook, TellsHowFarItIsAndCanBeEnded) {
    const Pictures pictures(LocalKind::kSift, 20);
    CodebookOptions options = options_of(CodebookAim::kFisher, LocalKind::kSift, 5);
    size_t last = 0, all = 0;
    options.progress = [&](size_t step, size_t step_count) {
        EXPECT_GE(step, last);
        last = step;
        all = step_count;
    };
    learn_codebook(pictures.views, options);
    EXPECT_EQ(last, all);
    options.progress = [](size_t step, size_t) {
        if (step > 5) throw std::runtime_error("end");
    };
    EXPECT_THROW(learn_codebook(pictures.views, options), std::runtime_error);
}

TEST(Mixture, SaysHowWideClustersAre) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> points;
    for (int i = 0; i < 4000; ++i) {
        const bool wide = i % 4 == 0;
        points.push_back(wide ? 9 + 2 * normal(random) : normal(random) / 2);
        points.push_back(wide ? normal(random) / 2 : 1 + normal(random));
    }
    const std::vector<float> middles{0, 0, 7, 0, 100, 100};
    const Mixture mixture = mixture_of_clusters({points.data(), 4000, 2}, middles);
    EXPECT_NEAR(mixture.weights[0], 0.75, 0.01);
    EXPECT_NEAR(mixture.weights[1], 0.25, 0.01);
    EXPECT_NEAR(mixture.means[0], 0, 0.05);
    EXPECT_NEAR(mixture.means[1], 1, 0.1);
    EXPECT_NEAR(mixture.means[2], 9, 0.2);
    EXPECT_NEAR(std::sqrt(mixture.variances[0]), 0.5, 0.05);
    EXPECT_NEAR(std::sqrt(mixture.variances[2]), 2, 0.15);
    EXPECT_NEAR(std::sqrt(mixture.variances[3]), 0.5, 0.1);
    // Nothing lies near the third.
    EXPECT_LT(mixture.weights[2], 1e-3);
    EXPECT_EQ(mixture.means[4], 100);
    EXPECT_GT(mixture.variances[4], 0);
}

TEST(WideComponents, KeepDistancesOfFewRows) {
    std::mt19937 random(9);
    std::normal_distribution<float> normal;
    constexpr size_t kRows = 12, kDims = 300;
    std::vector<float> rows(kRows * kDims);
    for (float& x : rows)
        x = 3 + normal(random);
    const ComponentMap map = map_to_components({rows.data(), kRows, kDims}, 50, false);
    ASSERT_EQ(map.dims, kRows - 1);
    const ProjectionView view{.dims_in = kDims,
                              .dims_out = map.dims,
                              .rows = map.values.data(),
                              .offset = map.values.data() + kDims * map.dims};
    std::vector<std::vector<float>> mapped(kRows, std::vector<float>(map.dims));
    for (size_t i = 0; i < kRows; ++i)
        project(view, rows.data() + i * kDims, mapped[i].data());
    std::vector<double> sums(map.dims), squares(map.dims);
    for (size_t i = 0; i < kRows; ++i) {
        const std::vector<float> a(rows.data() + i * kDims, rows.data() + (i + 1) * kDims);
        const std::vector<float> b(rows.data(), rows.data() + kDims);
        EXPECT_NEAR(squared_distance(a, b), squared_distance(mapped[i], mapped[0]), 0.05);
        for (size_t d = 0; d < map.dims; ++d) {
            sums[d] += mapped[i][d];
            squares[d] += mapped[i][d] * mapped[i][d];
        }
    }
    for (size_t d = 0; d < map.dims; ++d)
        EXPECT_NEAR(sums[d], 0, 1e-2);
    EXPECT_TRUE(std::ranges::is_sorted(squares, std::greater{}));
    EXPECT_EQ(map_to_components({rows.data(), kRows, kDims}, 3, false).dims, 3u);
    EXPECT_EQ(map_to_components({rows.data(), 1, kDims}, 3, false).dims, 0u);
}

}  // namespace
}  // namespace lookalike

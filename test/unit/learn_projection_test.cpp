#include "learn/projection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/vector/projection.h"
#include "learn/mark_set.h"

namespace lookalike {
namespace {

// Points of three classes, which two of the dimensions tell, and the others hide.
struct Classes {
    static constexpr uint32_t kDims = 20;
    std::vector<float> values;
    std::vector<uint64_t> labels;

    explicit Classes(size_t count, float between = 0.5f) {
        std::mt19937 random(3);
        std::normal_distribution<float> normal;
        for (size_t i = 0; i < count; ++i) {
            labels.push_back(random() % 3 * 1000);
            for (uint32_t d = 0; d < kDims; ++d)
                values.push_back(d < 2 ? normal(random) / 10 : normal(random));
            values[i * kDims] += labels[i] == 1000 ? between : 0;
            values[i * kDims + 1] += labels[i] == 2000 ? between : 0;
        }
    }
    RowsView points() const { return {values.data(), labels.size(), kDims}; }
    ProjectionMarks by_label() const { return {ProjectionAim::kLabels, labels}; }
    // Each two points that follow each other.
    std::vector<uint64_t> pairs() const {
        std::vector<uint64_t> good;
        for (size_t i = 0; i + 1 < labels.size(); i += 2)
            good.push_back(labels[i] == labels[i + 1]);
        return good;
    }
};

ProjectionView view_of(const LearnedProjection& learned, uint32_t dims) {
    return {dims, learned.dims_out, learned.values.data(),
            learned.values.data() + size_t{dims} * learned.dims_out};
}

// The share of points whose nearest other one has their label.
double nearest_right(const Classes& classes, const LearnedProjection& learned) {
    const size_t count = classes.labels.size();
    std::vector<std::vector<float>> rows(count, std::vector<float>(learned.dims_out));
    for (size_t i = 0; i < count; ++i)
        project(view_of(learned, Classes::kDims), classes.points().row(i), rows[i].data());
    double right = 0;
    for (size_t i = 0; i < count; ++i) {
        double nearest = INFINITY;
        size_t found = i;
        for (size_t j = 0; j < count; ++j) {
            double distance = 0;
            for (uint32_t d = 0; d < learned.dims_out; ++d)
                distance += (rows[i][d] - rows[j][d]) * (rows[i][d] - rows[j][d]);
            if (j == i || distance >= nearest) continue;
            nearest = distance;
            found = j;
        }
        right += classes.labels[found] == classes.labels[i];
    }
    return right / static_cast<double>(count);
}

TEST(LearnProjection, FindsWhatLabelsDependOn) {
    const Classes classes(600), others(200);
    const LearnedProjection learned =
        learn_projection(classes.points(), classes.by_label(), {.dims_out = 2});
    ASSERT_EQ(learned.dims_out, 2u);
    EXPECT_LT(learned.held_out_before, 0.5);
    EXPECT_GT(learned.held_out_after, 0.95);
    EXPECT_GT(nearest_right(others, learned), 0.95);
}

TEST(LearnProjection, FindsWhatPairsDependOn) {
    const Classes classes(2000), others(200);
    const std::vector<uint64_t> good = classes.pairs();
    const LearnedProjection learned =
        learn_projection(classes.points(), {ProjectionAim::kPairs, good}, {});
    ASSERT_GE(learned.dims_out, 2u);
    EXPECT_GT(learned.held_out_after, learned.held_out_before + 0.2);
    EXPECT_GT(nearest_right(others, learned), 0.9);
}

TEST(LearnProjection, LearnsNothingByChance) {
    int learned_count = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const Classes classes(400);
        std::mt19937_64 random(seed);
        std::vector<uint64_t> labels(400), good(200);
        for (uint64_t& label : labels)
            label = random() % 4;
        for (uint64_t& mark : good)
            mark = random() % 2;
        learned_count +=
            learn_projection(classes.points(), {ProjectionAim::kLabels, labels}, {}).dims_out > 0;
        learned_count +=
            learn_projection(classes.points(), {ProjectionAim::kPairs, good}, {}).dims_out > 0;
    }
    EXPECT_LE(learned_count, 2);
}

TEST(LearnProjection, LeavesAloneWhatIsToldAlready) {
    Classes classes(300, 100);
    for (size_t i = 0; i < classes.values.size(); ++i)
        if (i % Classes::kDims > 1) classes.values[i] = 0;
    const LearnedProjection learned = learn_projection(classes.points(), classes.by_label(), {});
    EXPECT_EQ(learned.dims_out, 0u);
    EXPECT_EQ(learned.held_out_before, 1);
    EXPECT_EQ(learned.held_out_after, 1);
}

TEST(LearnProjection, EqualMarksGiveEqualBytes) {
    const Classes classes(300);
    const auto first = learn_projection(classes.points(), classes.by_label(), {});
    const auto second = learn_projection(classes.points(), classes.by_label(), {});
    EXPECT_EQ(first.values, second.values);
}

TEST(LearnProjection, WhitensPointsWithoutMarks) {
    const Classes classes(500);
    const LearnedProjection learned =
        learn_projection(classes.points(), {ProjectionAim::kWhitening, {}}, {.dims_out = 5});
    ASSERT_EQ(learned.dims_out, 5u);
    EXPECT_TRUE(std::isnan(learned.held_out_before));
    // The mean is at the origin, the variance as it was, no dimension depends on another one.
    std::vector<double> mean(5), products(25);
    std::vector<float> row(5);
    double variance = 0;
    for (size_t i = 0; i < 500; ++i) {
        project(view_of(learned, Classes::kDims), classes.points().row(i), row.data());
        for (size_t a = 0; a < 5; ++a) {
            mean[a] += row[a] / 500;
            for (size_t b = 0; b < 5; ++b)
                products[a * 5 + b] += row[a] * row[b] / 500;
        }
        for (const float x : row)
            variance += x * x / 500;
    }
    for (const double x : mean)
        EXPECT_NEAR(x, 0, 1e-4);
    EXPECT_NEAR(products[1], 0, 1e-3);
    EXPECT_NEAR(products[13], 0, 1e-3);
    EXPECT_NEAR(variance, 18.3, 1.5);
}

TEST(LearnProjection, ComponentsKeepDistances) {
    const Classes classes(300);
    const LearnedProjection learned =
        learn_projection(classes.points(), {ProjectionAim::kComponents, {}}, {.dims_out = 20});
    ASSERT_EQ(learned.dims_out, 20u);
    std::vector<float> a(20), b(20);
    for (size_t i = 1; i < 300; ++i) {
        project(view_of(learned, Classes::kDims), classes.points().row(0), a.data());
        project(view_of(learned, Classes::kDims), classes.points().row(i), b.data());
        double before = 0, after = 0;
        for (size_t d = 0; d < 20; ++d) {
            const double apart = classes.points().row(0)[d] - classes.points().row(i)[d];
            before += apart * apart;
            after += (a[d] - b[d]) * (a[d] - b[d]);
        }
        EXPECT_NEAR(after, before, before * 1e-4);
    }
}

TEST(LearnProjection, PointsThatTeachNothing) {
    const std::vector<float> equal(40, 3), one{1, 2, 3, 4};
    const std::vector<uint64_t> labels{1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, pairs{1, 0, 1, 0, 1};
    EXPECT_EQ(
        learn_projection({equal.data(), 10, 4}, {ProjectionAim::kLabels, labels}, {}).dims_out, 0u);
    EXPECT_EQ(learn_projection({equal.data(), 10, 4}, {ProjectionAim::kPairs, pairs}, {}).dims_out,
              0u);
    EXPECT_EQ(learn_projection({equal.data(), 10, 4}, {ProjectionAim::kWhitening, {}}, {}).dims_out,
              0u);
    EXPECT_EQ(learn_projection({one.data(), 1, 4}, {ProjectionAim::kWhitening, {}}, {}).dims_out,
              0u);
    EXPECT_EQ(
        learn_projection({one.data(), 2, 2}, {ProjectionAim::kPairs, std::span(pairs).first(1)}, {})
            .dims_out,
        0u);
    const std::vector<float> wrong{1, NAN};
    EXPECT_THROW(learn_projection({wrong.data(), 2, 1}, {ProjectionAim::kWhitening, {}}, {}),
                 InvalidRows);
}

TEST(LearnProjection, TakesMorePointsThanDimensionsOrFewer) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> values(12 * 300);
    for (float& x : values)
        x = normal(random);
    const LearnedProjection learned =
        learn_projection({values.data(), 12, 300}, {ProjectionAim::kWhitening, {}}, {});
    EXPECT_LE(learned.dims_out, 11u);
    EXPECT_GE(learned.dims_out, 8u);
    for (const float x : learned.values)
        EXPECT_TRUE(std::isfinite(x));
}

TEST(LearnProjection, CanBeStopped) {
    const Classes classes(300);
    struct Stop {};
    const ProjectionOptions options{.dims_out = 0,
                                    .progress = [](size_t, size_t) { throw Stop(); }};
    EXPECT_THROW(learn_projection(classes.points(), classes.by_label(), options), Stop);
}

TEST(MarkSet, SharesOfPairs) {
    // Distances 1, 2 good; 2, 3 bad: of four, 3 are told, and one is half.
    const std::vector<float> points{0, 1, 0, 2, 0, 2, 0, 3};
    const std::vector<uint64_t> good{1, 1, 0, 0};
    const RowsView rows{points.data(), 8, 1};
    const auto marks = make_pair_marks(rows, good);
    const std::vector<uint32_t> folds = folds_of(rows);
    const size_t dims = 1;
    // All pairs have the point 0 in common, so that they are in one part.
    EXPECT_EQ(marks->figures({points.data(), 1, nullptr}, {&dims, 1}, folds[0])[0], 3.5 / 4);
}

TEST(Symmetric, EigenvectorsComeInOrder) {
    Matrix matrix(3, 3);
    matrix.values = {2, 1, 0, 1, 2, 0, 0, 0, 7};
    const Eigenvectors found = top_eigenvectors(matrix, 2);
    ASSERT_EQ(found.values.size(), 2u);
    EXPECT_NEAR(found.values[0], 7, 1e-12);
    EXPECT_NEAR(found.values[1], 3, 1e-12);
    EXPECT_NEAR(found.vectors.row(0)[2], 1, 1e-12);
    EXPECT_NEAR(found.vectors.row(1)[0], std::sqrt(0.5), 1e-12);
    EXPECT_NEAR(found.vectors.row(1)[1], std::sqrt(0.5), 1e-12);
}

TEST(Symmetric, Products) {
    Matrix a(2, 3), b(3, 2), c(2, 3);
    a.values = c.values = {1, 2, 3, 4, 5, 6};
    b.values = {1, 0, 0, 1, 1, 1};
    EXPECT_EQ(product(a, b).values, (std::vector<double>{4, 5, 10, 11}));
    EXPECT_EQ(product_with_transposed(a, c).values, (std::vector<double>{14, 32, 32, 77}));
    Matrix sum(3, 3);
    add_outer_products(a.values.data(), 2, sum);
    complete_symmetric(sum);
    EXPECT_EQ(sum.values, (std::vector<double>{17, 22, 27, 22, 29, 36, 27, 36, 45}));
    EXPECT_EQ(sum.trace(), 91);
}

}  // namespace
}  // namespace lookalike

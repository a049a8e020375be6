// Rotation, codes and window together on the extractors' own descriptors: cuttings of drawn
// textiles, of which many are near to many others. codes_recall_test.cpp has floors for other data.
#include <gtest/gtest.h>

#include <cstring>
#include <opencv2/imgproc.hpp>

#include "image/image.h"
#include "image/textile.h"
#include "image_samples.h"
#include "small_ivf.h"

namespace lookalike {
namespace {

constexpr size_t kNeighbors = 10;
constexpr int kCuttingSide = kTextileSide / 2;

void append_features(Vectors& vectors, const cv::Mat& image) {
    const Features features = extract_features(
        encoded(image, ".bmp"), parse_extractor_spec("color+pattern"), {1'000'000}, nullptr);
    vectors.dims = features.dims;
    vectors.elements.resize(vectors.elements.size() + features.dims);
    std::memcpy(&vectors.elements[vectors.elements.size() - features.dims],
                features.elements.data(), features.elements.size());
}

struct Cuttings {
    Vectors rows;     // the quarters of every third textile
    Vectors queries;  // the middles of some of the others
};

const Cuttings& cuttings() {
    static const Cuttings made = [] {
        Cuttings cut;
        for (uint32_t number = 0; number < kTextileCount; ++number) {
            const bool is_row = number % 3 == 0, is_query = number % 21 == 1;
            if (!is_row && !is_query) continue;
            TextileSample sample = textile_sample(number);
            const cv::Mat image(kTextileSide, kTextileSide, CV_8UC3, sample.rgb.data());
            const auto cutting = [&](int x, int y) {
                return image(cv::Rect(x, y, kCuttingSide, kCuttingSide)).clone();
            };
            if (is_query) append_features(cut.queries, cutting(kCuttingSide / 2, kCuttingSide / 2));
            if (!is_row) continue;
            for (const int x : {0, kCuttingSide})
                for (const int y : {0, kCuttingSide})
                    append_features(cut.rows, cutting(x, y));
        }
        return cut;
    }();
    return made;
}

class ImageRecall : public testing::TestWithParam<Metric> {};

TEST_P(ImageRecall, ReachesItsFloorOnTextiles) {
    const auto& [rows, queries] = cuttings();
    ASSERT_EQ(rows.count(), kTextileCount / 3 * 4);
    SmallIvf index(GetParam(), rows, 16);
    SearchCost cost;
    const auto recall = [&](size_t probes) {
        size_t found = 0;
        for (size_t i = 0; i < queries.count(); ++i)
            found +=
                common_ids(exact_nearest(GetParam(), rows, queries[i], kNeighbors),
                           index.search(queries[i], kNeighbors, probes, kDefaultScanEpsilon, cost));
        return static_cast<double>(found) / static_cast<double>(queries.count() * kNeighbors);
    };
    EXPECT_GE(recall(4), 0.95);  // of 16 lists
    cost = {};
    EXPECT_GE(recall(16), 0.99);  // only the codes can lose a neighbour
    EXPECT_LE(static_cast<double>(cost.refined) / static_cast<double>(queries.count()), 60);
}

INSTANTIATE_TEST_SUITE_P(Metrics, ImageRecall,
                         testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine));

}  // namespace
}  // namespace lookalike

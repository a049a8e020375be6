// Time to turn one 640 x 480 JPEG into a descriptor, and where it goes.
#include <benchmark/benchmark.h>

#include <opencv2/core/utility.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "image/decode.h"
#include "image/image.h"
#include "image/textile.h"

namespace {

using namespace lookalike;

constexpr ImageLimits kLimits{.max_pixels = 100'000'000};

// Four textiles side by side, softened: about as many bytes as a photograph of that size.
const std::vector<uint8_t>& photograph() {
    static const std::vector<uint8_t> file = [] {
        cv::Mat image(512, 512, CV_8UC3);
        for (int i = 0; i < 4; ++i) {
            TextileSample sample = textile_sample(100 + 151 * i);
            const cv::Mat part(kTextileSide, kTextileSide, CV_8UC3, sample.rgb.data());
            part.copyTo(image(cv::Rect(i % 2 * 256, i / 2 * 256, 256, 256)));
        }
        cv::GaussianBlur(image, image, {5, 5}, 1);
        std::vector<uint8_t> bytes;
        cv::imencode(".jpg", resized(image, 640, 480), bytes, {cv::IMWRITE_JPEG_QUALITY, 85});
        return bytes;
    }();
    return file;
}

void extract(benchmark::State& state, const char* extractor) {
    cv::setNumThreads(1);
    const ExtractorSpec spec = parse_extractor_spec(extractor);
    for (auto _ : state) {
        benchmark::DoNotOptimize(extract_features(photograph(), spec, kLimits, nullptr));
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["file_bytes"] = static_cast<double>(photograph().size());
}

void decode(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode_image(photograph(), kLimits, 192 * 192));
    }
}

BENCHMARK(decode);
BENCHMARK_CAPTURE(extract, color, "color");
BENCHMARK_CAPTURE(extract, pattern, "pattern");
BENCHMARK_CAPTURE(extract, color_and_pattern, "color+pattern");
BENCHMARK_CAPTURE(extract, phash, "phash");

}  // namespace

BENCHMARK_MAIN();

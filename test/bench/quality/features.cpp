#include "quality/features.h"

#include <cstring>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "image/decode.h"
#include "image/image.h"
#include "image/model_store.h"

namespace lookalike {
namespace {

std::vector<float> hsv_histogram(const cv::Mat& image) {
    cv::Mat hsv, histogram;
    cv::cvtColor(image, hsv, cv::COLOR_BGR2HSV);
    const int channels[] = {0, 1, 2}, sizes[] = {16, 4, 4};
    const float hues[] = {0, 180}, range[] = {0, 256};
    const float* ranges[] = {hues, range, range};
    cv::calcHist(&hsv, 1, channels, {}, histogram, 3, sizes, ranges);
    histogram /= static_cast<double>(image.total());
    cv::sqrt(histogram, histogram);
    const auto* begin = reinterpret_cast<const float*>(histogram.data);
    return {begin, begin + 16 * 4 * 4};
}

std::vector<float> hog(const cv::Mat& image) {
    cv::Mat grey;
    cv::cvtColor(resized(image, 64, 64), grey, cv::COLOR_BGR2GRAY);
    const cv::HOGDescriptor descriptor({64, 64}, {16, 16}, {8, 8}, {8, 8}, 9);
    std::vector<float> out;
    descriptor.compute(grey, out);
    return out;
}

ModelStore& models() {
    static ModelStore store(make_opencv_engine(), 1 << 30);
    return store;
}

std::vector<float> extract(const Bytes& bytes, const std::string& extractor) {
    if (extractor == "baseline-hsv" || extractor == "baseline-hog") {
        const cv::Mat image = composed_on_white(decode_image(bytes, kLimits, 256 * 256));
        return extractor == "baseline-hsv" ? hsv_histogram(image) : hog(image);
    }
    const Features features =
        extract_features(bytes, parse_extractor_spec(extractor), kLimits, &models());
    std::vector<float> out(features.dims);
    if (features.kind == Kind::kReal) {
        std::memcpy(out.data(), features.elements.data(), features.elements.size());
    } else {
        for (uint32_t i = 0; i < features.dims; ++i) {
            out[i] = static_cast<float>(features.elements[i / 8] >> (7 - i % 8) & 1);
        }
    }
    return out;
}

}  // namespace

void load_mobilenet(const std::filesystem::path& path) {
    models().load("mobilenet@1", read_file(path),
                  {.input_width = 224,
                   .input_height = 224,
                   .mean = {127.5, 127.5, 127.5},
                   .std = {127.5, 127.5, 127.5},
                   .bgr = false,
                   .layer = "features",
                   .normalize = true});
}

cv::Mat extract_all(const std::vector<Picture>& pictures, const std::string& extractor) {
    cv::Mat rows;
    for (const Picture& picture : pictures) {
        const std::vector<float> row = extract(picture.bytes, extractor);
        rows.push_back(cv::Mat(row, true).reshape(1, 1));
    }
    return rows;
}

cv::Mat squared_distances(const cv::Mat& a, const cv::Mat& b) {
    cv::Mat products = a * b.t(), norms_a, norms_b;
    cv::reduce(a.mul(a), norms_a, 1, cv::REDUCE_SUM);
    cv::reduce(b.mul(b), norms_b, 1, cv::REDUCE_SUM);
    return cv::repeat(norms_a, 1, b.rows) + cv::repeat(norms_b.t(), a.rows, 1) - 2 * products;
}

}  // namespace lookalike

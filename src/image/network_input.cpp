#include "image/network_input.h"

#include <algorithm>
#include <cmath>

#include "core/vector/unit_length.h"
#include "image/decode.h"
#include "image/image.h"

namespace lookalike {
namespace {

// A network may give anything; a descriptor holds finite numbers only.
void check_finite(std::span<const float> output, const LoadedModel& model) {
    for (const float element : output) {
        if (std::isfinite(element)) continue;
        throw ImageError(ImageFault::kModel,
                         "image model \"" + model.key + "\" gave a number that is not finite");
    }
}

/// The largest part around the middle that has the shape of the input.
cv::Mat middle_of(const cv::Mat& image, int width, int height) {
    const auto part = [](int side, int other_side, int wanted, int other_wanted) {
        const int64_t fitting = int64_t{other_side} * wanted / other_wanted;
        return static_cast<int>(std::clamp<int64_t>(fitting, 1, side));
    };
    const int columns = part(image.cols, image.rows, width, height);
    const int rows = part(image.rows, image.cols, height, width);
    return image({(image.cols - columns) / 2, (image.rows - rows) / 2, columns, rows});
}

}  // namespace

void NetworkInput::add(const cv::Mat& image, const ModelConfig& config) {
    const auto width = static_cast<int>(config.input_width);
    const auto height = static_cast<int>(config.input_height);
    const cv::Mat seen = config.crop ? middle_of(image, width, height) : image;
    const cv::Mat scaled = resized(seen, width, height);
    const size_t plane = static_cast<size_t>(width) * height;
    const size_t begin = planes_.size();
    planes_.resize(begin + 3 * plane);
    for (int y = 0; y < height; ++y) {
        const auto* row = scaled.ptr<cv::Vec3b>(y);
        for (int channel = 0; channel < 3; ++channel) {
            const int source = config.bgr ? channel : 2 - channel;
            float* out = planes_.data() + begin + channel * plane + static_cast<size_t>(y) * width;
            for (int x = 0; x < width; ++x) {
                out[x] = (row[x][source] - config.mean[channel]) / config.std[channel];
            }
        }
    }
    ++count_;
}

std::vector<float> NetworkInput::run(const LoadedModel& model) const {
    const uint32_t dims = model.network->dims();
    std::vector<float> output(size_t{count_} * dims);
    model.network->run(planes_.data(), count_, output.data());
    check_finite(output, model);
    if (model.config.normalize) {
        for (uint32_t i = 0; i < count_; ++i) {
            scale_to_unit_length(std::span(output).subspan(size_t{i} * dims, dims));
        }
    }
    return output;
}

}  // namespace lookalike

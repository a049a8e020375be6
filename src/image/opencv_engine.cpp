// Networks run by OpenCV's DNN module.
#include <cstring>
#include <new>
#include <opencv2/dnn.hpp>

#include "core/vector/element.h"
#include "image/image.h"
#include "image/model_store.h"
#include "image/opencv_setup.h"

namespace lookalike {
namespace {

[[noreturn]] void fail(const char* what, const cv::Exception& exception) {
    if (exception.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw ImageError(ImageFault::kModel, std::string(what) + ": " + exception.err);
}

class OpencvNetwork : public Network {
  public:
    OpencvNetwork(cv::dnn::Net net, const ModelConfig& config, uint64_t file_bytes)
        : net_(std::move(net)), config_(config), file_bytes_(file_bytes) {
        net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        const std::vector<float> black(3 * plane());
        const cv::Mat output = forward(black.data(), 1);
        if (output.total() == 0 || output.total() > kMaxDims) {
            throw ImageError(ImageFault::kModel, "image model gives " +
                                                     std::to_string(output.total()) +
                                                     " dimensions, at most " +
                                                     std::to_string(kMaxDims) + " are allowed");
        }
        dims_ = static_cast<uint32_t>(output.total());
    }

    uint32_t dims() const override { return dims_; }
    const char* engine_name() const override { return kOpencvEngine; }

    // Weights are the file's size, and a run needs room for what flows through the layers.
    uint64_t memory_bytes() const override { return 2 * file_bytes_ + 64 * plane(); }

    void run(const float* input, uint32_t count, float* output) override {
        const cv::Mat result = forward(input, count);
        if (result.total() == size_t{count} * dims_) {
            std::memcpy(output, result.ptr<float>(), result.total() * sizeof(float));
            return;
        }
        // A network whose batch size is fixed in the file takes one image at a time.
        for (uint32_t i = 0; i < count; ++i) {
            const cv::Mat one = forward(input + i * 3 * plane(), 1);
            if (one.total() != dims_) {
                throw ImageError(ImageFault::kModel, "image model changed its dimensions");
            }
            std::memcpy(output + size_t{i} * dims_, one.ptr<float>(), dims_ * sizeof(float));
        }
    }

  private:
    size_t plane() const { return size_t{config_.input_width} * config_.input_height; }

    cv::Mat forward(const float* input, uint32_t count) {
        const int shape[] = {static_cast<int>(count), 3, static_cast<int>(config_.input_height),
                             static_cast<int>(config_.input_width)};
        const cv::Mat blob(4, shape, CV_32F, const_cast<float*>(input));
        try {
            net_.setInput(blob);
            const cv::Mat output =
                config_.layer.empty() ? net_.forward() : net_.forward(config_.layer);
            if (output.depth() == CV_32F && output.isContinuous()) return output;
        } catch (const cv::Exception& exception) {
            fail("could not run image model", exception);
        }
        throw ImageError(ImageFault::kModel, "image model does not give floats");
    }

    cv::dnn::Net net_;
    ModelConfig config_;
    uint64_t file_bytes_;
    uint32_t dims_ = 0;
};

class OpencvEngine : public Engine {
  public:
    std::unique_ptr<Network> load(std::span<const uint8_t> onnx,
                                  const ModelConfig& config) override {
        set_up_opencv();
        try {
            cv::dnn::Net net =
                cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(onnx.data()), onnx.size());
            if (net.empty()) throw ImageError(ImageFault::kModel, "image model is empty");
            return std::make_unique<OpencvNetwork>(std::move(net), config, onnx.size());
        } catch (const cv::Exception& exception) {
            fail("could not load image model", exception);
        }
    }
};

}  // namespace

std::unique_ptr<Engine> make_opencv_engine() {
    return std::make_unique<OpencvEngine>();
}

}  // namespace lookalike

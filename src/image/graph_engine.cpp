// Networks of pictures that run without OpenCV: transformers, which it does not load, or runs
// wrongly.
#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "core/vector/element.h"
#include "image/image.h"
#include "image/model_store.h"

namespace lookalike {
namespace {

std::string_view characters(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class GraphNetwork : public Network {
  public:
    GraphNetwork(OnnxFile file, const ModelConfig& config)
        : graph_(std::move(file), config.layer),
          shape_{1, 3, config.input_height, config.input_width} {
        const auto& inputs = graph_.inputs();
        if (inputs.size() != 1 || !inputs[0].is_float || !takes(inputs[0].shape))
            throw NetworkError("it does not take one picture of " +
                               std::to_string(config.input_width) + " x " +
                               std::to_string(config.input_height) + " pixels");
        const std::vector<float> black(element_count(shape_));
        const size_t count = run_one(black.data()).count();
        if (count == 0 || count > kMaxDims)
            throw NetworkError("it gives " + std::to_string(count) + " dimensions, at most " +
                               std::to_string(kMaxDims) + " are allowed");
        dims_ = static_cast<uint32_t>(count);
    }

    uint32_t dims() const override { return dims_; }
    const char* engine_name() const override { return kOwnEngine; }
    uint64_t memory_bytes() const override {
        return graph_.memory_bytes() + 64 * element_count(shape_);
    }

    void run(const float* input, uint32_t count, float* output) override {
        for (uint32_t i = 0; i < count; ++i) {
            try {
                const Tensor one = run_one(input + i * element_count(shape_));
                if (one.count() != dims_) throw NetworkError("it changed its dimensions");
                std::memcpy(output + size_t{i} * dims_, one.reals().data(), dims_ * sizeof(float));
            } catch (const NetworkError& error) {
                throw ImageError(ImageFault::kModel,
                                 std::string("could not run image model: ") + error.what());
            }
        }
    }

  private:
    bool takes(const Shape& shape) const {
        if (shape.empty()) return true;
        if (shape.size() != shape_.size()) return false;
        for (size_t i = 0; i < shape.size(); ++i)
            if (shape[i] != 0 && shape[i] != shape_[i]) return false;
        return true;
    }

    Tensor run_one(const float* planes) const {
        return graph_.run({Tensor::floats(shape_, {planes, planes + element_count(shape_)})});
    }

    Graph graph_;
    Shape shape_;
    uint32_t dims_ = 0;
};

[[noreturn]] void fail_to_load(const NetworkError& error) {
    throw ImageError(ImageFault::kModel,
                     std::string("could not load image model: ") + error.what());
}

std::unique_ptr<Network> load_graph(OnnxFile file, const ModelConfig& config) {
    try {
        return std::make_unique<GraphNetwork>(std::move(file), config);
    } catch (const NetworkError& error) {
        fail_to_load(error);
    }
}

class GraphEngine : public Engine {
  public:
    std::unique_ptr<Network> load(std::span<const uint8_t> onnx,
                                  const ModelConfig& config) override {
        try {
            return load_graph(read_onnx(characters(onnx)), config);
        } catch (const NetworkError& error) {
            fail_to_load(error);
        }
    }
};

std::map<std::string, Shape> constant_shapes(const OnnxFile& file) {
    std::map<std::string, Shape> shapes;
    for (const auto& [name, tensor] : file.constants)
        shapes[name] = tensor.shape();
    for (const OnnxNode& node : file.nodes)
        if (const OnnxAttribute* value = node.find("value"); node.type == "Constant" && value)
            for (const std::string& name : node.outputs)
                shapes[name] = value->tensor.shape();
    return shapes;
}

/// What OpenCV 4.6 computes wrongly and says nothing of, where sizes are equal by chance: with
/// [1, D, D] a row of D constants, or constants that are divided. One for each channel of a
/// picture, [C, 1, 1], is no row.
bool is_unsafe_in_opencv(const OnnxNode& node, const std::map<std::string, Shape>& constants) {
    const bool multiplies = node.type == "Mul" || node.type == "Div";
    if (!multiplies && node.type != "Add" && node.type != "Sub") return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
        const auto found = constants.find(node.inputs[i]);
        if (found == constants.end()) continue;
        const Shape& shape = found->second;
        const uint64_t count = element_count(shape);
        const bool is_row = count > 1 && count == static_cast<uint64_t>(shape.back());
        if (is_row && (multiplies || shape.size() > 1)) return true;
        if (node.type == "Div" && i == 0 && count > 1) return true;
    }
    return false;
}

bool is_unsafe_in_opencv(const OnnxFile& file) {
    const auto constants = constant_shapes(file);
    return std::ranges::any_of(
        file.nodes, [&](const OnnxNode& node) { return is_unsafe_in_opencv(node, constants); });
}

/// The file, where OpenCV must not run it. It may read what we do not.
std::optional<OnnxFile> file_unsafe_in_opencv(std::span<const uint8_t> onnx) {
    try {
        OnnxFile file = read_onnx(characters(onnx));
        if (is_unsafe_in_opencv(file)) return file;
    } catch (const NetworkError&) {
    }
    return std::nullopt;
}

class ChoosingEngine : public Engine {
  public:
    std::unique_ptr<Network> load(std::span<const uint8_t> onnx,
                                  const ModelConfig& config) override {
        if (auto file = file_unsafe_in_opencv(onnx)) return load_graph(std::move(*file), config);
        try {
            return opencv_->load(onnx, config);
        } catch (const ImageError& opencv_error) {
            return load_otherwise(onnx, config, opencv_error);
        }
    }

  private:
    std::unique_ptr<Network> load_otherwise(std::span<const uint8_t> onnx,
                                            const ModelConfig& config,
                                            const ImageError& opencv_error) {
        try {
            return graph_->load(onnx, config);
        } catch (const ImageError& error) {
            // Of a file that is none both say the same.
            throw ImageError(ImageFault::kModel,
                             std::string(error.what()) + "; OpenCV: " + opencv_error.what());
        }
    }

    std::unique_ptr<Engine> opencv_ = make_opencv_engine();
    std::unique_ptr<Engine> graph_ = make_graph_engine();
};

}  // namespace

std::unique_ptr<Engine> make_graph_engine() {
    return std::make_unique<GraphEngine>();
}

std::unique_ptr<Engine> make_engine() {
    return std::make_unique<ChoosingEngine>();
}

}  // namespace lookalike

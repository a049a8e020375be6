#include "image_onnx_sample.h"

#include "onnx_builder.h"

namespace lookalike {

std::vector<uint8_t> averaging_network(const std::vector<float>& weights, int side) {
    const auto outputs = static_cast<int64_t>(weights.size() / 3);
    const std::string file = OnnxBuilder(9)
                                 .with("kernel_shape", {1, 1})
                                 .node("Conv", {"image", "weights"}, {"mixed"})
                                 .node("GlobalAveragePool", {"mixed"}, {"averages"})
                                 .floats("weights", {outputs, 3, 1, 1}, weights)
                                 .input("image", {1, 3, side, side}, true)
                                 .output("averages", {1, outputs, 1, 1})
                                 .file();
    return {file.begin(), file.end()};
}

}  // namespace lookalike

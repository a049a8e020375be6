// Hostile networks: any bytes as ONNX, loaded and run. The first byte chooses what the input is.
#include <cmath>
#include <string_view>
#include <vector>

#include "network/graph.h"

using namespace lookalike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    try {
        const Graph graph(read_onnx(bytes), "", {.max_elements = 1 << 12, .max_nodes = 64});
        std::vector<Tensor> inputs;
        for (const OnnxValue& input : graph.inputs()) {
            Shape shape = input.shape;
            for (int64_t& side : shape)
                if (side == 0) side = data[0] % 4 + 1;
            const size_t count = element_count(shape, 1 << 10);
            inputs.push_back(input.is_float
                                 ? Tensor::floats(shape, std::vector<float>(count, 0.5f))
                                 : Tensor::integers(shape, std::vector<int64_t>(count, data[0])));
        }
        graph.run(inputs);
    } catch (const NetworkError&) {
    }
    return 0;
}

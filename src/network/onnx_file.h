// What an ONNX file says, as far as networks of transformers need it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/tensor.h"

namespace lookalike {

struct OnnxAttribute {
    std::string name;
    float real = 0;
    int64_t integer = 0;
    std::string text;
    Tensor tensor;
    std::vector<float> reals;
    std::vector<int64_t> integers;
};

struct OnnxNode {
    std::string type;  ///< "MatMul"; with its domain before it if that is not ONNX's own
    std::string name;
    std::vector<std::string> inputs;  ///< "" for one that is left out
    std::vector<std::string> outputs;
    std::vector<OnnxAttribute> attributes;

    const OnnxAttribute* find(std::string_view attribute) const;
    int64_t integer(std::string_view attribute, int64_t fallback) const;
    float real(std::string_view attribute, float fallback) const;
    /// For messages: "node "/blocks.0/Mul" (Mul)".
    std::string title() const;
};

/// What goes in or comes out. Sizes that the file leaves open are 0.
struct OnnxValue {
    std::string name;
    Shape shape;
    bool is_float;
};

struct OnnxFile {
    int64_t opset = 0;
    std::vector<OnnxNode> nodes;
    std::map<std::string, Tensor> constants;
    std::vector<OnnxValue> inputs;  ///< without those that have a constant
    std::vector<OnnxValue> outputs;
};

/// Throws NetworkError.
OnnxFile read_onnx(std::string_view bytes);

}  // namespace lookalike

// What the nodes of a network compute. Names are ONNX's.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "network/onnx_file.h"

namespace lookalike {

/// A node, and what has come to it.
struct OperatorCall {
    const OnnxNode& node;
    int64_t opset;
    uint64_t max_elements;  ///< of each output
    std::vector<const Tensor*> inputs;

    bool has(size_t index) const { return index < inputs.size() && !inputs[index]->is_empty(); }
    /// Throws NetworkError when it is not there.
    const Tensor& input(size_t index) const;
    /// Elements of an output. Throws NetworkError when there are too many.
    size_t count(const Shape& shape) const { return element_count(shape, max_elements); }
    /// Numbers that newer versions have as an input and older ones as an attribute.
    std::optional<std::vector<int64_t>> list(std::string_view attribute, size_t index) const;
    /// An axis from the front, of so many dimensions. Throws NetworkError.
    size_t axis(int64_t axis, size_t rank) const;
};

using Operator = std::vector<Tensor> (*)(const OperatorCall& call);

struct NamedOperator {
    std::string_view type;
    Operator run;
};

/// Null for one that is not known.
Operator find_operator(std::string_view type);

/// Where the elements of a shape lie, step by step: how many are passed by one along each axis.
std::vector<size_t> strides_of(const Shape& shape);

/// The shape in which two meet: axes of size 1 are repeated. Throws NetworkError.
Shape common_shape(const Shape& a, const Shape& b);

/// Strides with which `shape` is read as if it were `wanted`: 0 where it is repeated.
std::vector<size_t> repeated_strides(const Shape& shape, const Shape& wanted);

/// Calls visit(a, b) with two offsets for each place of `shape` but along its last axis, in order.
template <class Visit>
void each_row(const Shape& shape, const std::vector<size_t>& a_strides,
              const std::vector<size_t>& b_strides, Visit visit) {
    if (std::ranges::find(shape, 0) != shape.end()) return;
    const size_t outer = shape.empty() ? 0 : shape.size() - 1;
    std::vector<int64_t> place(outer, 0);
    size_t a = 0, b = 0;
    for (;;) {
        visit(a, b);
        size_t axis = outer;
        for (; axis > 0; --axis) {
            const size_t at = axis - 1;
            a += a_strides[at];
            b += b_strides[at];
            if (++place[at] < shape[at]) break;
            a -= a_strides[at] * static_cast<size_t>(shape[at]);
            b -= b_strides[at] * static_cast<size_t>(shape[at]);
            place[at] = 0;
        }
        if (axis == 0) return;
    }
}

// The tables of each file.
std::span<const NamedOperator> elementwise_operators();
std::span<const NamedOperator> shape_operators();
std::span<const NamedOperator> index_operators();
std::span<const NamedOperator> reducing_operators();
std::span<const NamedOperator> matrix_operators();

}  // namespace lookalike

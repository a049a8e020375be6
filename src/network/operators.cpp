#include "network/operators.h"

namespace lookalike {

const Tensor& OperatorCall::input(size_t index) const {
    if (!has(index)) throw NetworkError("an input is missing");
    return *inputs[index];
}

std::optional<std::vector<int64_t>> OperatorCall::list(std::string_view attribute,
                                                       size_t index) const {
    if (const OnnxAttribute* found = node.find(attribute)) return found->integers;
    if (has(index)) return input(index).numbers();
    return std::nullopt;
}

size_t OperatorCall::axis(int64_t axis, size_t rank) const {
    const auto count = static_cast<int64_t>(rank);
    if (axis < -count || axis >= count) throw NetworkError("an axis is out of range");
    return static_cast<size_t>(axis < 0 ? axis + count : axis);
}

Operator find_operator(std::string_view type) {
    for (const auto table : {elementwise_operators(), shape_operators(), index_operators(),
                             reducing_operators(), matrix_operators()}) {
        const auto found = std::ranges::find(table, type, &NamedOperator::type);
        if (found != table.end()) return found->run;
    }
    return nullptr;
}

std::vector<size_t> strides_of(const Shape& shape) {
    std::vector<size_t> strides(shape.size());
    size_t stride = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
        strides[axis] = stride;
        stride *= static_cast<size_t>(shape[axis]);
    }
    return strides;
}

Shape common_shape(const Shape& a, const Shape& b) {
    Shape shape(std::max(a.size(), b.size()));
    for (size_t i = 0; i < shape.size(); ++i) {
        const int64_t from_a = i < a.size() ? a[a.size() - 1 - i] : 1;
        const int64_t from_b = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (from_a != from_b && from_a != 1 && from_b != 1)
            throw NetworkError("shapes " + to_string(a) + " and " + to_string(b) +
                               " do not fit together");
        shape[shape.size() - 1 - i] = from_a == 1 ? from_b : from_a;
    }
    return shape;
}

std::vector<size_t> repeated_strides(const Shape& shape, const Shape& wanted) {
    const std::vector<size_t> own = strides_of(shape);
    std::vector<size_t> strides(wanted.size(), 0);
    const size_t added = wanted.size() - shape.size();
    for (size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != 1) strides[added + i] = own[i];
    return strides;
}

}  // namespace lookalike

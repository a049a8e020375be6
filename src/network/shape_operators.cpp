// Operators that make and tell of shapes, but compute nothing.
#include <limits>

#include "network/operators.h"
#include "network/picking.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

Tensor list_of(std::vector<int64_t> numbers) {
    const auto count = static_cast<int64_t>(numbers.size());
    return Tensor::integers({count}, std::move(numbers));
}

Tensors constant(const OperatorCall& call) {
    if (const OnnxAttribute* value = call.node.find("value")) return {value->tensor};
    if (const OnnxAttribute* value = call.node.find("value_float"))
        return {Tensor::floats({}, {value->real})};
    if (const OnnxAttribute* value = call.node.find("value_int"))
        return {Tensor::integers({}, {value->integer})};
    if (const OnnxAttribute* value = call.node.find("value_ints"))
        return {list_of(value->integers)};
    if (const OnnxAttribute* value = call.node.find("value_floats"))
        return {Tensor::floats({static_cast<int64_t>(value->reals.size())}, value->reals)};
    throw NetworkError("it has no value");
}

Tensors constant_of_shape(const OperatorCall& call) {
    const Shape shape = call.input(0).numbers();
    const size_t count = call.count(shape);
    const OnnxAttribute* value = call.node.find("value");
    if (value == nullptr) return {Tensor::floats(shape, std::vector<float>(count, 0))};
    if (value->tensor.count() != 1) throw NetworkError("its value is not one number");
    return {picked(value->tensor, shape, count, [](size_t) { return 0; })};
}

Tensors shape_of(const OperatorCall& call) {
    const Shape& shape = call.input(0).shape();
    const auto rank = static_cast<int64_t>(shape.size());
    const auto bounded = [rank](int64_t at) {
        return std::clamp(at < 0 ? at + rank : at, int64_t{0}, rank);
    };
    const int64_t start = bounded(call.node.integer("start", 0));
    const int64_t end = bounded(call.node.integer("end", rank));
    if (end <= start) return {list_of({})};
    return {list_of({shape.begin() + start, shape.begin() + end})};
}

Tensors size_of(const OperatorCall& call) {
    return {Tensor::integers({}, {static_cast<int64_t>(call.input(0).count())})};
}

Tensors reshape(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto wanted = call.list("shape", 1);
    if (!wanted) throw NetworkError("an input is missing");
    Shape shape = *wanted;
    if (shape.size() > kMaxRank) throw NetworkError("a tensor has too many dimensions");
    int64_t known = 1;
    int open = -1;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == 0 && call.node.integer("allowzero", 0) == 0) {
            if (i >= x.rank()) throw NetworkError("its shape does not fit");
            shape[i] = x.shape()[i];
        }
        if (shape[i] == -1 && open < 0) {
            open = static_cast<int>(i);
        } else {
            if (shape[i] < 0 || shape[i] > static_cast<int64_t>(kMaxElements))
                throw NetworkError("its shape does not fit");
            known = std::min<int64_t>(known * shape[i], static_cast<int64_t>(kMaxElements) + 1);
        }
    }
    if (open >= 0) {
        if (known == 0) throw NetworkError("its shape does not fit");
        shape[static_cast<size_t>(open)] = static_cast<int64_t>(x.count()) / known;
    }
    return {x.reshaped(std::move(shape))};
}

Tensors flatten(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto rank = static_cast<int64_t>(x.rank());
    int64_t axis = call.node.integer("axis", 1);
    if (axis < -rank || axis > rank) throw NetworkError("an axis is out of range");
    if (axis < 0) axis += rank;
    int64_t rows = 1;
    for (int64_t i = 0; i < axis; ++i)
        rows *= x.shape()[static_cast<size_t>(i)];
    const auto count = static_cast<int64_t>(x.count());
    return {x.reshaped({rows, rows == 0 ? 0 : count / rows})};
}

/// Marks the axes that are named; all if there are no names.
std::vector<bool> marked_axes(const OperatorCall& call, const std::vector<int64_t>& axes,
                              size_t rank) {
    std::vector<bool> marked(rank, false);
    for (const int64_t axis : axes)
        marked[call.axis(axis, rank)] = true;
    return marked;
}

Tensors squeeze(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto axes = call.list("axes", 1);
    const auto marked = marked_axes(call, axes.value_or(std::vector<int64_t>()), x.rank());
    Shape shape;
    for (size_t i = 0; i < x.rank(); ++i)
        if (axes ? !marked[i] : x.shape()[i] != 1) shape.push_back(x.shape()[i]);
    return {x.reshaped(std::move(shape))};
}

Tensors unsqueeze(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto axes = call.list("axes", 1);
    if (!axes || axes->size() + x.rank() > kMaxRank)
        throw NetworkError("its axes are out of range");
    const auto marked = marked_axes(call, *axes, x.rank() + axes->size());
    Shape shape;
    size_t next = 0;
    for (const bool is_new : marked) {
        if (!is_new && next == x.rank()) throw NetworkError("its axes are out of range");
        shape.push_back(is_new ? 1 : x.shape()[next++]);
    }
    return {x.reshaped(std::move(shape))};
}

Tensors transpose(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const size_t rank = x.rank();
    std::vector<int64_t> order(rank);
    for (size_t i = 0; i < rank; ++i)
        order[i] = static_cast<int64_t>(rank - 1 - i);
    if (const OnnxAttribute* found = call.node.find("perm")) order = found->integers;
    const auto marked = marked_axes(call, order, rank);
    if (order.size() != rank || std::ranges::find(marked, false) != marked.end())
        throw NetworkError("its axes are out of range");
    const auto strides = strides_of(x.shape());
    Shape shape;
    std::vector<size_t> steps;
    for (const int64_t axis : order) {
        shape.push_back(x.shape()[call.axis(axis, rank)]);
        steps.push_back(strides[call.axis(axis, rank)]);
    }
    return {walked(x, shape, steps, 0, x.count())};
}

Tensors expand(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Shape& wanted = call.input(1).numbers();
    call.count(wanted);
    const Shape shape = common_shape(x.shape(), wanted);
    return {walked(x, shape, repeated_strides(x.shape(), shape), 0, call.count(shape))};
}

Tensors tile(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto& repeats = call.input(1).numbers();
    if (repeats.size() != x.rank()) throw NetworkError("its repeats do not fit");
    // Each axis is seen as two: how often, and what.
    Shape wide, shape;
    std::vector<size_t> steps;
    const auto strides = strides_of(x.shape());
    for (size_t i = 0; i < x.rank(); ++i) {
        if (repeats[i] < 0 || repeats[i] > static_cast<int64_t>(kMaxElements))
            throw NetworkError("its repeats do not fit");
        wide.insert(wide.end(), {repeats[i], x.shape()[i]});
        steps.insert(steps.end(), {0, strides[i]});
        shape.push_back(repeats[i] * x.shape()[i]);
    }
    const size_t count = call.count(shape);
    if (count == 0 || x.rank() == 0)
        return {x.rank() == 0 ? x : picked(x, shape, 0, [](size_t) { return 0; })};
    return {walked(x, wide, steps, 0, count).reshaped(shape)};
}

Tensors range(const OperatorCall& call) {
    if (call.input(0).count() != 1 || call.input(1).count() != 1 || call.input(2).count() != 1)
        throw NetworkError("it takes three numbers");
    if (call.input(0).is_float()) throw NetworkError("it takes whole numbers");
    const int64_t start = call.input(0).numbers()[0], end = call.input(1).numbers()[0];
    const int64_t step = call.input(2).numbers()[0];
    const auto limit = static_cast<int64_t>(kMaxElements);
    if (step == 0 || std::max({start, end, step}) > limit || std::min({start, end, step}) < -limit)
        throw NetworkError("its numbers are out of range");
    const int64_t length = std::max<int64_t>((end - start + step - (step > 0 ? 1 : -1)) / step, 0);
    std::vector<int64_t> numbers(call.count({length}));
    for (size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = start + static_cast<int64_t>(i) * step;
    return {list_of(std::move(numbers))};
}

constexpr NamedOperator kOperators[] = {
    {"Constant", constant},   {"ConstantOfShape", constant_of_shape},
    {"Expand", expand},       {"Flatten", flatten},
    {"Range", range},         {"Reshape", reshape},
    {"Shape", shape_of},      {"Size", size_of},
    {"Squeeze", squeeze},     {"Tile", tile},
    {"Transpose", transpose}, {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const NamedOperator> shape_operators() {
    return kOperators;
}

}  // namespace lookalike

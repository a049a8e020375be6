// Operators that take elements from places, but compute nothing.
#include "network/operators.h"
#include "network/picking.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

/// One that is out of range counts from the end, or is an error.
size_t index_of(int64_t index, int64_t size) {
    if (index < -size || index >= size)
        throw NetworkError("an index of " + std::to_string(index) + " lies outside of " +
                           std::to_string(size));
    return static_cast<size_t>(index < 0 ? index + size : index);
}

Tensors gather(const OperatorCall& call) {
    const Tensor &x = call.input(0), &indices = call.input(1);
    const size_t axis = call.axis(call.node.integer("axis", 0), x.rank());
    const int64_t size = x.shape()[axis];
    Shape shape(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(axis));
    shape.insert(shape.end(), indices.shape().begin(), indices.shape().end());
    shape.insert(shape.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                 x.shape().end());
    const size_t count = call.count(shape);
    std::vector<size_t> rows;
    for (const int64_t index : indices.numbers())
        rows.push_back(index_of(index, size));
    const size_t inner = strides_of(x.shape())[axis];
    return {picked(x, shape, count, [&](size_t i) {
        const size_t row = i / inner % rows.size(), outer = i / inner / rows.size();
        return (outer * static_cast<size_t>(size) + rows[row]) * inner + i % inner;
    })};
}

Tensors gather_elements(const OperatorCall& call) {
    const Tensor &x = call.input(0), &indices = call.input(1);
    const size_t axis = call.axis(call.node.integer("axis", 0), x.rank());
    if (indices.rank() != x.rank()) throw NetworkError("its indices do not fit");
    for (size_t i = 0; i < x.rank(); ++i)
        if (i != axis && indices.shape()[i] > x.shape()[i])
            throw NetworkError("its indices do not fit");
    const auto from = strides_of(x.shape()), at = strides_of(indices.shape());
    return {picked(x, indices.shape(), indices.count(), [&](size_t i) {
        size_t place = 0;
        for (size_t k = 0; k < x.rank(); ++k) {
            const size_t step = i / at[k] % static_cast<size_t>(indices.shape()[k]);
            place += from[k] * (k == axis ? index_of(indices.numbers()[i], x.shape()[k]) : step);
        }
        return place;
    })};
}

/// Each index is a row of numbers, which name the first axes of the other input.
Tensors gather_nd(const OperatorCall& call) {
    const Tensor &x = call.input(0), &indices = call.input(1);
    if (indices.rank() == 0 || call.node.integer("batch_dims", 0) != 0)
        throw NetworkError("indices of this kind are not known");
    const auto named = static_cast<size_t>(indices.shape().back());
    if (named == 0 || named > x.rank()) throw NetworkError("its indices do not fit");
    Shape shape(indices.shape().begin(), indices.shape().end() - 1);
    shape.insert(shape.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(named),
                 x.shape().end());
    const size_t count = call.count(shape);
    const auto strides = strides_of(x.shape());
    const size_t inner = strides[named - 1];
    std::vector<size_t> starts(indices.count() / named, 0);
    for (size_t i = 0; i < indices.count(); ++i)
        starts[i / named] +=
            strides[i % named] * index_of(indices.numbers()[i], x.shape()[i % named]);
    return {picked(x, shape, count, [&](size_t i) { return starts[i / inner] + i % inner; })};
}

Tensors slice(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto starts = call.list("starts", 1), ends = call.list("ends", 2);
    const auto named = call.list("axes", 3);
    const auto steps = call.list("steps", 4);
    if (!starts || !ends || starts->size() != ends->size() || starts->size() > x.rank() ||
        (named && named->size() != starts->size()) || (steps && steps->size() != starts->size()))
        throw NetworkError("what it cuts is not clear");
    Shape shape = x.shape();
    const auto strides = strides_of(x.shape());
    std::vector<size_t> walk = strides;
    size_t first = 0;
    for (size_t i = 0; i < starts->size(); ++i) {
        const size_t axis = call.axis(named ? (*named)[i] : static_cast<int64_t>(i), x.rank());
        const int64_t size = x.shape()[axis], step = steps ? (*steps)[i] : 1;
        if (step < 1) throw NetworkError("it cuts backwards");
        const auto bounded = [size](int64_t at) {
            return std::clamp(at < 0 ? at + size : at, int64_t{0}, size);
        };
        const int64_t start = bounded((*starts)[i]), end = std::max(bounded((*ends)[i]), start);
        shape[axis] = (end - start) / step + ((end - start) % step != 0);
        first += static_cast<size_t>(start) * strides[axis];
        walk[axis] = shape[axis] > 1 ? strides[axis] * static_cast<size_t>(step) : 0;
    }
    return {walked(x, shape, walk, first, call.count(shape))};
}

Tensors concat(const OperatorCall& call) {
    const Tensor& first = call.input(0);
    const size_t axis = call.axis(call.node.integer("axis", 0), first.rank());
    Shape shape = first.shape();
    shape[axis] = 0;
    for (size_t i = 0; i < call.inputs.size(); ++i) {
        Shape other = call.input(i).shape();
        if (other.size() != shape.size()) throw NetworkError("its inputs do not fit together");
        shape[axis] += other[axis];
        other[axis] = first.shape()[axis];
        if (other != first.shape()) throw NetworkError("its inputs do not fit together");
    }
    const size_t count = call.count(shape);
    const size_t outer =
        element_count({shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)});
    const auto join = [&]<class T>(std::vector<T> joined,
                                   const std::vector<T>& (Tensor::*elements)() const) {
        joined.reserve(count);
        for (size_t row = 0; row < outer; ++row)
            for (const Tensor* input : call.inputs) {
                const auto& from = (input->*elements)();
                const size_t width = from.size() / outer;
                joined.insert(joined.end(), from.begin() + static_cast<std::ptrdiff_t>(row * width),
                              from.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
            }
        return joined;
    };
    if (first.is_float())
        return {Tensor::floats(shape, join(std::vector<float>(), &Tensor::reals))};
    return {Tensor::integers(shape, join(std::vector<int64_t>(), &Tensor::numbers))};
}

Tensors split(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const size_t axis = call.axis(call.node.integer("axis", 0), x.rank());
    const auto parts = static_cast<int64_t>(call.node.outputs.size());
    const int64_t size = x.shape()[axis];
    std::vector<int64_t> widths(call.node.outputs.size(), (size + parts - 1) / parts);
    widths.back() = size - widths.back() * (parts - 1);
    if (const auto given = call.list("split", 1)) widths = *given;
    if (static_cast<int64_t>(widths.size()) != parts) throw NetworkError("its parts are not clear");
    const auto strides = strides_of(x.shape());
    Tensors results;
    int64_t start = 0;
    for (const int64_t width : widths) {
        if (width < 0 || width > size - start) throw NetworkError("its parts are out of range");
        Shape shape = x.shape();
        shape[axis] = width;
        results.push_back(walked(x, shape, strides, static_cast<size_t>(start) * strides[axis],
                                 call.count(shape)));
        start += width;
    }
    return results;
}

Tensors non_zero(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    std::vector<size_t> places;
    for (size_t i = 0; i < x.count(); ++i)
        if (x.is_float() ? x.reals()[i] != 0 : x.numbers()[i] != 0) places.push_back(i);
    const auto strides = strides_of(x.shape());
    std::vector<int64_t> numbers;
    for (size_t axis = 0; axis < x.rank(); ++axis)
        for (const size_t place : places)
            numbers.push_back(
                static_cast<int64_t>(place / strides[axis] % static_cast<size_t>(x.shape()[axis])));
    return {Tensor::integers({static_cast<int64_t>(x.rank()), static_cast<int64_t>(places.size())},
                             std::move(numbers))};
}

/// Keeps what lies on one side of a diagonal of matrices.
Tensors triangle(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    if (x.rank() < 2) throw NetworkError("it takes matrices");
    const bool keeps_upper = call.node.integer("upper", 1) != 0;
    const int64_t shift = call.has(1) ? call.input(1).numbers().at(0) : 0;
    const auto columns = static_cast<size_t>(x.shape().back());
    const auto rows = static_cast<size_t>(x.shape()[x.rank() - 2]);
    const auto limit = static_cast<int64_t>(kMaxElements);
    const int64_t diagonal = std::clamp(shift, -limit, limit);
    const auto is_kept = [&](size_t i) {
        const auto row = static_cast<int64_t>(i / columns % rows);
        const auto column = static_cast<int64_t>(i % columns);
        return keeps_upper ? column - row >= diagonal : column - row <= diagonal;
    };
    if (!x.is_float()) {
        std::vector<int64_t> numbers = x.numbers();
        for (size_t i = 0; i < numbers.size(); ++i)
            if (!is_kept(i)) numbers[i] = 0;
        return {Tensor::integers(x.shape(), std::move(numbers))};
    }
    std::vector<float> elements = x.reals();
    for (size_t i = 0; i < elements.size(); ++i)
        if (!is_kept(i)) elements[i] = 0;
    return {Tensor::floats(x.shape(), std::move(elements))};
}

constexpr NamedOperator kOperators[] = {
    {"Concat", concat},      {"Gather", gather},    {"GatherElements", gather_elements},
    {"GatherND", gather_nd}, {"NonZero", non_zero}, {"Slice", slice},
    {"Split", split},        {"Trilu", triangle},
};

}  // namespace

std::span<const NamedOperator> index_operators() {
    return kOperators;
}

}  // namespace lookalike

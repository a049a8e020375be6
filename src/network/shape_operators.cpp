// Operators that move elements and tell of shapes, but compute nothing.
#include <limits>

#include "network/operators.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

Tensor list_of(std::vector<int64_t> numbers) {
    const auto count = static_cast<int64_t>(numbers.size());
    return Tensor::integers({count}, std::move(numbers));
}

/// Builds a tensor of the same type: element i is the one that `source(i)` says.
template <class Source>
Tensor picked(const Tensor& from, Shape shape, size_t count, Source source) {
    if (from.is_float()) {
        std::vector<float> elements(count);
        for (size_t i = 0; i < count; ++i)
            elements[i] = from.reals()[source(i)];
        return Tensor::floats(std::move(shape), std::move(elements));
    }
    std::vector<int64_t> elements(count);
    for (size_t i = 0; i < count; ++i)
        elements[i] = from.numbers()[source(i)];
    return Tensor::integers(std::move(shape), std::move(elements));
}

/// The same, where elements lie in strides.
Tensor walked(const Tensor& from, const Shape& shape, const std::vector<size_t>& strides,
              size_t start, size_t count) {
    std::vector<size_t> places;
    places.reserve(count);
    const size_t width = shape.empty() ? 1 : static_cast<size_t>(shape.back());
    const size_t step = shape.empty() ? 0 : strides.back();
    each_row(shape, strides, strides, [&](size_t offset, size_t) {
        for (size_t i = 0; i < width; ++i)
            places.push_back(start + offset + i * step);
    });
    return picked(from, shape, count, [&](size_t i) { return places[i]; });
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
    {"Concat", concat},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"NonZero", non_zero},
    {"Range", range},
    {"Reshape", reshape},
    {"Shape", shape_of},
    {"Size", size_of},
    {"Slice", slice},
    {"Split", split},
    {"Squeeze", squeeze},
    {"Tile", tile},
    {"Transpose", transpose},
    {"Trilu", triangle},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const NamedOperator> shape_operators() {
    return kOperators;
}

}  // namespace lookalike

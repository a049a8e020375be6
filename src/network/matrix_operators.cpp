// Operators that multiply, and those that make one row of another.
#include <cmath>

#include "network/matrix_product.h"
#include "network/operators.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

Tensors matrix_product(const OperatorCall& call) {
    Tensor a = call.input(0), b = call.input(1);
    const bool is_a_row = a.rank() == 1, is_b_column = b.rank() == 1;
    if (a.rank() == 0 || b.rank() == 0) throw NetworkError("a number is no matrix");
    if (is_a_row) a = a.reshaped({1, a.shape()[0]});
    if (is_b_column) b = b.reshaped({b.shape()[0], 1});
    const int64_t rows = a.shape()[a.rank() - 2], depth = a.shape().back();
    const int64_t columns = b.shape().back();
    if (b.shape()[b.rank() - 2] != depth)
        throw NetworkError("matrices of shapes " + to_string(a.shape()) + " and " +
                           to_string(b.shape()) + " do not fit together");
    const Shape a_outer(a.shape().begin(), a.shape().end() - 2);
    const Shape b_outer(b.shape().begin(), b.shape().end() - 2);
    Shape outer = common_shape(a_outer, b_outer);
    Shape shape = outer;
    shape.insert(shape.end(), {rows, columns});
    std::vector<float> product(call.count(shape));
    // One more axis, along which each_row() does not walk.
    outer.push_back(1);
    Shape a_wide = a_outer, b_wide = b_outer;
    a_wide.push_back(1);
    b_wide.push_back(1);
    const auto a_size = static_cast<size_t>(rows * depth),
               b_size = static_cast<size_t>(depth * columns);
    float* to = product.data();
    const float *left = a.reals().data(), *right = b.reals().data();
    if (b_outer.empty() && !product.empty()) {
        // One matrix for all: they are rows of a taller one.
        multiply_matrices(left, right, to, product.size() / static_cast<size_t>(columns),
                          static_cast<size_t>(depth), static_cast<size_t>(columns), false);
    } else if (!product.empty()) {
        each_row(outer, repeated_strides(a_wide, outer), repeated_strides(b_wide, outer),
                 [&](size_t i, size_t j) {
                     multiply_matrices(left + i * a_size, right + j * b_size, to,
                                       static_cast<size_t>(rows), static_cast<size_t>(depth),
                                       static_cast<size_t>(columns), false);
                     to += rows * columns;
                 });
    }
    if (is_a_row) shape.erase(shape.end() - 2);
    if (is_b_column) shape.pop_back();
    return {Tensor::floats(std::move(shape), std::move(product))};
}

std::vector<float> turned(const Tensor& matrix) {
    const auto rows = static_cast<size_t>(matrix.shape()[0]);
    const auto columns = static_cast<size_t>(matrix.shape()[1]);
    std::vector<float> elements(rows * columns);
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j)
            elements[j * rows + i] = matrix.reals()[i * columns + j];
    return elements;
}

Tensors general_product(const OperatorCall& call) {
    const Tensor &a = call.input(0), &b = call.input(1);
    if (a.rank() != 2 || b.rank() != 2) throw NetworkError("it takes matrices");
    const bool turns_a = call.node.integer("transA", 0) != 0;
    const bool turns_b = call.node.integer("transB", 0) != 0;
    const int64_t rows = a.shape()[turns_a], depth = a.shape()[!turns_a];
    const int64_t columns = b.shape()[!turns_b];
    if (b.shape()[turns_b] != depth) throw NetworkError("its matrices do not fit together");
    const Shape shape = {rows, columns};
    std::vector<float> product(call.count(shape));
    const std::vector<float> left = turns_a ? turned(a) : std::vector<float>();
    if (!product.empty())
        multiply_matrices(turns_a ? left.data() : a.reals().data(), b.reals().data(),
                          product.data(), static_cast<size_t>(rows), static_cast<size_t>(depth),
                          static_cast<size_t>(columns), turns_b);
    const float alpha = call.node.real("alpha", 1), beta = call.node.real("beta", 1);
    for (float& x : product)
        x *= alpha;
    if (call.has(2)) {
        const Tensor& c = call.input(2);
        if (common_shape(c.shape(), shape) != shape)
            throw NetworkError("what it adds does not fit");
        const auto strides = repeated_strides(c.shape(), shape);
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < columns; ++j)
                product[static_cast<size_t>(i * columns + j)] +=
                    beta * c.reals()[static_cast<size_t>(i) * strides[0] +
                                     static_cast<size_t>(j) * strides[1]];
    }
    return {Tensor::floats(shape, std::move(product))};
}

/// Elements of `x` in rows that go along its last axes, from `axis` on.
size_t row_width(const Tensor& x, size_t axis) {
    size_t width = 1;
    for (size_t i = axis; i < x.rank(); ++i)
        width *= static_cast<size_t>(x.shape()[i]);
    return width;
}

void soften(float* row, size_t count, size_t step) {
    float highest = row[0];
    for (size_t i = 1; i < count; ++i)
        highest = std::max(highest, row[i * step]);
    // A row of nothing but minus infinity stays what it is: no number.
    float sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += row[i * step] = std::exp(row[i * step] - highest);
    for (size_t i = 0; i < count; ++i)
        row[i * step] /= sum;
}

Tensors softmax(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const bool along_one = call.opset >= 13;
    const size_t axis = call.axis(call.node.integer("axis", along_one ? -1 : 1), x.rank());
    std::vector<float> elements = x.reals();
    if (elements.empty()) return {x};
    const size_t whole = row_width(x, axis);
    const size_t step = along_one ? row_width(x, axis + 1) : 1;
    for (size_t start = 0; start < elements.size(); start += whole)
        for (size_t i = 0; i < step; ++i)
            soften(elements.data() + start + i, whole / step, step);
    return {Tensor::floats(x.shape(), std::move(elements))};
}

Tensors layer_normalization(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const size_t axis = call.axis(call.node.integer("axis", -1), x.rank());
    const float epsilon = call.node.real("epsilon", 1e-5f);
    const size_t width = row_width(x, axis);
    const auto& scale = call.input(1).reals();
    if (scale.size() != width || (call.has(2) && call.input(2).count() != width))
        throw NetworkError("its scale does not fit");
    std::vector<float> elements = x.reals();
    for (size_t start = 0; start < elements.size(); start += width) {
        float* row = elements.data() + start;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < width; ++i)
            sum += row[i];
        const double mean = sum / static_cast<double>(width);
        for (size_t i = 0; i < width; ++i)
            squares += (row[i] - mean) * (row[i] - mean);
        const double factor = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
        for (size_t i = 0; i < width; ++i) {
            row[i] = static_cast<float>((row[i] - mean) * factor) * scale[i];
            if (call.has(2)) row[i] += call.input(2).reals()[i];
        }
    }
    return {Tensor::floats(x.shape(), std::move(elements))};
}

/// A convolution of pictures, of one group.
struct Convolution {
    int64_t channels, height, width;
    int64_t outputs, kernel_height, kernel_width;
    std::vector<int64_t> pads, strides, dilations;
    int64_t out_height, out_width;
};

std::vector<int64_t> numbers_of(const OperatorCall& call, const char* name, size_t count,
                                int64_t fallback, int64_t least) {
    const OnnxAttribute* found = call.node.find(name);
    std::vector<int64_t> numbers(count, fallback);
    if (found != nullptr) numbers = found->integers;
    const auto is_sane = [least](int64_t x) { return x >= least && x <= 4096; };
    if (numbers.size() != count || !std::ranges::all_of(numbers, is_sane))
        throw NetworkError("its \"" + std::string(name) + "\" are out of range");
    return numbers;
}

Convolution convolution_of(const OperatorCall& call) {
    const Tensor &x = call.input(0), &kernel = call.input(1);
    const OnnxAttribute* padding = call.node.find("auto_pad");
    if (x.rank() != 4 || kernel.rank() != 4 || call.node.integer("group", 1) != 1 ||
        x.shape()[1] != kernel.shape()[1] || (padding && padding->text != "NOTSET"))
        throw NetworkError("a convolution of this kind is not known");
    Convolution c{.channels = x.shape()[1],
                  .height = x.shape()[2],
                  .width = x.shape()[3],
                  .outputs = kernel.shape()[0],
                  .kernel_height = kernel.shape()[2],
                  .kernel_width = kernel.shape()[3],
                  .pads = numbers_of(call, "pads", 4, 0, 0),
                  .strides = numbers_of(call, "strides", 2, 1, 1),
                  .dilations = numbers_of(call, "dilations", 2, 1, 1),
                  .out_height = 0,
                  .out_width = 0};
    c.out_height = c.height + c.pads[0] + c.pads[2] - c.dilations[0] * (c.kernel_height - 1) - 1;
    c.out_width = c.width + c.pads[1] + c.pads[3] - c.dilations[1] * (c.kernel_width - 1) - 1;
    if (c.out_height < 0 || c.out_width < 0)
        throw NetworkError("its kernel is larger than its input");
    c.out_height = c.out_height / c.strides[0] + 1;
    c.out_width = c.out_width / c.strides[1] + 1;
    return c;
}

/// The pixels that each place of the kernel meets, one row for each: kernel x places.
std::vector<float> spread_pixels(const Convolution& c, const float* x, size_t count) {
    std::vector<float> columns(count);
    float* to = columns.data();
    for (int64_t channel = 0; channel < c.channels; ++channel)
        for (int64_t ky = 0; ky < c.kernel_height; ++ky)
            for (int64_t kx = 0; kx < c.kernel_width; ++kx)
                for (int64_t oy = 0; oy < c.out_height; ++oy)
                    for (int64_t ox = 0; ox < c.out_width; ++ox) {
                        const int64_t y = oy * c.strides[0] - c.pads[0] + ky * c.dilations[0];
                        const int64_t at = ox * c.strides[1] - c.pads[1] + kx * c.dilations[1];
                        const bool inside = y >= 0 && y < c.height && at >= 0 && at < c.width;
                        *to++ = inside ? x[(channel * c.height + y) * c.width + at] : 0;
                    }
    return columns;
}

Tensors convolution(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Convolution c = convolution_of(call);
    const Shape shape = {x.shape()[0], c.outputs, c.out_height, c.out_width};
    std::vector<float> product(call.count(shape));
    const auto places = static_cast<size_t>(c.out_height * c.out_width);
    const Shape column_shape = {c.channels, c.kernel_height, c.kernel_width,
                                static_cast<int64_t>(places)};
    const size_t column_count = call.count(column_shape);
    const auto outputs = static_cast<size_t>(c.outputs);
    const size_t depth = places == 0 ? 0 : column_count / places;
    const bool has_bias = call.has(2);
    if (has_bias && call.input(2).count() != outputs) throw NetworkError("its bias does not fit");
    for (int64_t image = 0; image < x.shape()[0]; ++image) {
        const auto picture = static_cast<size_t>(image * c.channels * c.height * c.width);
        const auto columns = spread_pixels(c, x.reals().data() + picture, column_count);
        float* to = product.data() + static_cast<size_t>(image) * outputs * places;
        multiply_matrices(call.input(1).reals().data(), columns.data(), to, outputs, depth, places,
                          false);
        for (size_t i = 0; has_bias && i < outputs * places; ++i)
            to[i] += call.input(2).reals()[i / places];
    }
    return {Tensor::floats(shape, std::move(product))};
}

constexpr NamedOperator kOperators[] = {
    {"Conv", convolution},
    {"Gemm", general_product},
    {"LayerNormalization", layer_normalization},
    {"MatMul", matrix_product},
    {"Softmax", softmax},
};

}  // namespace

std::span<const NamedOperator> matrix_operators() {
    return kOperators;
}

}  // namespace lookalike

// Operators that look at one element of each input at a time.
#include <cmath>
#include <limits>

#include "network/operators.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

// Whole numbers wrap around, as those of a processor do.
uint64_t bits(int64_t x) {
    return static_cast<uint64_t>(x);
}

struct Add {
    float operator()(float a, float b) const { return a + b; }
    int64_t operator()(int64_t a, int64_t b) const {
        return static_cast<int64_t>(bits(a) + bits(b));
    }
};
struct Subtract {
    float operator()(float a, float b) const { return a - b; }
    int64_t operator()(int64_t a, int64_t b) const {
        return static_cast<int64_t>(bits(a) - bits(b));
    }
};
struct Multiply {
    float operator()(float a, float b) const { return a * b; }
    int64_t operator()(int64_t a, int64_t b) const {
        return static_cast<int64_t>(bits(a) * bits(b));
    }
};
struct Divide {
    float operator()(float a, float b) const { return a / b; }
    int64_t operator()(int64_t a, int64_t b) const {
        if (b == 0) throw NetworkError("a whole number is divided by zero");
        return b == -1 ? static_cast<int64_t>(-bits(a)) : a / b;
    }
};
struct Power {
    float operator()(float a, float b) const { return b == 2 ? a * a : std::pow(a, b); }
    int64_t operator()(int64_t a, int64_t b) const {
        return static_cast<int64_t>(std::pow(static_cast<float>(a), static_cast<float>(b)));
    }
};
struct Least {
    template <class T>
    T operator()(T a, T b) const {
        return b < a ? b : a;
    }
};
struct Greatest {
    template <class T>
    T operator()(T a, T b) const {
        return a < b ? b : a;
    }
};
struct Equal {
    template <class T>
    int64_t operator()(T a, T b) const {
        return a == b;
    }
};
struct Less {
    template <class T>
    int64_t operator()(T a, T b) const {
        return a < b;
    }
};
struct LessOrEqual {
    template <class T>
    int64_t operator()(T a, T b) const {
        return a <= b;
    }
};
struct Greater {
    template <class T>
    int64_t operator()(T a, T b) const {
        return b < a;
    }
};
struct GreaterOrEqual {
    template <class T>
    int64_t operator()(T a, T b) const {
        return b <= a;
    }
};
struct And {
    template <class T>
    int64_t operator()(T a, T b) const {
        return a != 0 && b != 0;
    }
};
struct Or {
    template <class T>
    int64_t operator()(T a, T b) const {
        return a != 0 || b != 0;
    }
};

template <class Result, class T, class Function>
std::vector<Result> combined(const Tensor& a, const Tensor& b, const std::vector<T>& a_elements,
                             const std::vector<T>& b_elements, const Shape& shape, size_t count,
                             Function function) {
    std::vector<Result> results(count);
    const auto a_strides = repeated_strides(a.shape(), shape);
    const auto b_strides = repeated_strides(b.shape(), shape);
    const size_t width = shape.empty() ? 1 : static_cast<size_t>(shape.back());
    const size_t a_step = shape.empty() ? 0 : a_strides.back();
    const size_t b_step = shape.empty() ? 0 : b_strides.back();
    auto* to = results.data();
    each_row(shape, a_strides, b_strides, [&](size_t a_start, size_t b_start) {
        const T* left = a_elements.data() + a_start;
        const T* right = b_elements.data() + b_start;
        // The three that occur, so that the compiler makes vectors of them.
        if (a_step == 1 && b_step == 1)
            for (size_t i = 0; i < width; ++i)
                to[i] = function(left[i], right[i]);
        else if (a_step == 1)
            for (size_t i = 0; i < width; ++i)
                to[i] = function(left[i], *right);
        else
            for (size_t i = 0; i < width; ++i)
                to[i] = function(left[i * a_step], right[i * b_step]);
        to += width;
    });
    return results;
}

Tensor to_tensor(Shape shape, std::vector<float> elements) {
    return Tensor::floats(std::move(shape), std::move(elements));
}

Tensor to_tensor(Shape shape, std::vector<int64_t> elements) {
    return Tensor::integers(std::move(shape), std::move(elements));
}

template <class Function>
Tensor combine(const OperatorCall& call, const Tensor& a, const Tensor& b) {
    const Function function;
    const Shape shape = common_shape(a.shape(), b.shape());
    const size_t count = call.count(shape);
    if (a.is_float())
        return to_tensor(shape, combined<decltype(function(1.0f, 1.0f))>(a, b, a.reals(), b.reals(),
                                                                         shape, count, function));
    return to_tensor(shape, combined<decltype(function(int64_t{1}, int64_t{1}))>(
                                a, b, a.numbers(), b.numbers(), shape, count, function));
}

template <class Function>
Tensors binary(const OperatorCall& call) {
    return {combine<Function>(call, call.input(0), call.input(1))};
}

/// Of any number of inputs.
template <class Function>
Tensors folded(const OperatorCall& call) {
    Tensor result = call.input(0);
    for (size_t i = 1; i < call.inputs.size(); ++i)
        result = combine<Function>(call, result, call.input(i));
    return {result};
}

/// The exponent may be a whole number where the base is none.
Tensors power(const OperatorCall& call) {
    const Tensor& exponent = call.input(1);
    if (call.input(0).is_float() == exponent.is_float()) return binary<Power>(call);
    std::vector<float> reals;
    for (const int64_t number : exponent.numbers())
        reals.push_back(static_cast<float>(number));
    return {
        combine<Power>(call, call.input(0), Tensor::floats(exponent.shape(), std::move(reals)))};
}

template <float (*kFunction)(float)>
Tensors unary(const OperatorCall& call) {
    std::vector<float> elements = call.input(0).reals();
    for (float& element : elements)
        element = kFunction(element);
    return {Tensor::floats(call.input(0).shape(), std::move(elements))};
}

float sigmoid(float x) {
    return 1 / (1 + std::exp(-x));
}
float relu(float x) {
    return x > 0 ? x : 0;
}
float reciprocal(float x) {
    return 1 / x;
}
float square_root(float x) {
    return std::sqrt(x);
}
float exponential(float x) {
    return std::exp(x);
}
float logarithm(float x) {
    return std::log(x);
}
float hyperbolic_tangent(float x) {
    return std::tanh(x);
}
float error_function(float x) {
    return std::erf(x);
}
float softplus(float x) {
    return x > 20 ? x : std::log1p(std::exp(x));
}
float exact_gelu(float x) {
    return 0.5f * x * (1 + std::erf(x * 0.70710678f));
}
float fast_gelu(float x) {
    return 0.5f * x * (1 + std::tanh(0.79788456f * (x + 0.044715f * x * x * x)));
}

Tensors gelu(const OperatorCall& call) {
    const OnnxAttribute* kind = call.node.find("approximate");
    return kind != nullptr && kind->text == "tanh" ? unary<fast_gelu>(call)
                                                   : unary<exact_gelu>(call);
}

Tensors negative(const OperatorCall& call) {
    const Tensor& input = call.input(0);
    const Tensor zero = input.is_float() ? Tensor::floats({}, {0}) : Tensor::integers({}, {0});
    return {combine<Subtract>(call, zero, input)};
}

Tensors absolute(const OperatorCall& call) {
    return {combine<Greatest>(call, call.input(0), negative(call)[0])};
}

Tensors negation(const OperatorCall& call) {
    return {combine<Equal>(call, call.input(0), Tensor::integers({}, {0}))};
}

Tensors clip(const OperatorCall& call) {
    const bool has_attributes = call.opset < 11;
    const float none = std::numeric_limits<float>::infinity();
    Tensor result = call.input(0);
    if (call.has(1)) result = combine<Greatest>(call, result, call.input(1));
    if (call.has(2)) result = combine<Least>(call, result, call.input(2));
    if (!has_attributes) return {result};
    result = combine<Greatest>(call, result, Tensor::floats({}, {call.node.real("min", -none)}));
    return {combine<Least>(call, result, Tensor::floats({}, {call.node.real("max", none)}))};
}

int64_t to_whole_number(float x) {
    // What lies beyond is the nearest that there is; what is no number is 0.
    if (std::isnan(x)) return 0;
    if (x >= 0x1p63f) return std::numeric_limits<int64_t>::max();
    return x < -0x1p63f ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(x);
}

Tensors cast(const OperatorCall& call) {
    constexpr int64_t kBool = 9;
    const Tensor& input = call.input(0);
    const int64_t type = call.node.integer("to", 0);
    const bool to_float = type == 1 || type == 10 || type == 11;
    if (!to_float && type != 2 && type != 3 && type != 6 && type != 7 && type != kBool)
        throw NetworkError("it makes a type of numbers that is not known");
    if (to_float) {
        if (input.is_float()) return {input};
        const auto& numbers = input.numbers();
        return {Tensor::floats(input.shape(), {numbers.begin(), numbers.end()})};
    }
    std::vector<int64_t> numbers;
    if (input.is_float()) {
        for (const float x : input.reals())
            numbers.push_back(type == kBool ? x != 0 : to_whole_number(x));
    } else {
        numbers = input.numbers();
        if (type == kBool)
            for (int64_t& number : numbers)
                number = number != 0;
    }
    return {Tensor::integers(input.shape(), std::move(numbers))};
}

template <class T>
std::vector<T> chosen(const Tensor& condition, const Tensor& a, const Tensor& b,
                      const std::vector<T>& a_elements, const std::vector<T>& b_elements,
                      const Shape& shape, size_t count) {
    // The condition is spread out first: three inputs at a time would be a walk of its own.
    const std::vector<int64_t> ones(1, 1);
    const auto spread = combined<int64_t>(condition, Tensor::integers({}, {1}), condition.numbers(),
                                          ones, shape, count, Multiply());
    const auto left = combined<T>(a, Tensor(), a_elements, std::vector<T>(1), shape, count,
                                  [](T x, T) { return x; });
    auto right = combined<T>(b, Tensor(), b_elements, std::vector<T>(1), shape, count,
                             [](T x, T) { return x; });
    for (size_t i = 0; i < count; ++i)
        if (spread[i] != 0) right[i] = left[i];
    return right;
}

Tensors where(const OperatorCall& call) {
    const Tensor &condition = call.input(0), &a = call.input(1), &b = call.input(2);
    const Shape shape = common_shape(condition.shape(), common_shape(a.shape(), b.shape()));
    const size_t count = call.count(shape);
    if (a.is_float())
        return {to_tensor(shape, chosen(condition, a, b, a.reals(), b.reals(), shape, count))};
    return {to_tensor(shape, chosen(condition, a, b, a.numbers(), b.numbers(), shape, count))};
}

Tensors same(const OperatorCall& call) {
    return {call.input(0)};
}

constexpr NamedOperator kOperators[] = {
    {"Abs", absolute},
    {"Add", binary<Add>},
    {"And", binary<And>},
    {"Cast", cast},
    {"Clip", clip},
    {"Div", binary<Divide>},
    {"Dropout", same},
    {"Equal", binary<Equal>},
    {"Erf", unary<error_function>},
    {"Exp", unary<exponential>},
    {"Gelu", gelu},
    {"Greater", binary<Greater>},
    {"GreaterOrEqual", binary<GreaterOrEqual>},
    {"Identity", same},
    {"Less", binary<Less>},
    {"LessOrEqual", binary<LessOrEqual>},
    {"Log", unary<logarithm>},
    {"Max", folded<Greatest>},
    {"Min", folded<Least>},
    {"Mul", binary<Multiply>},
    {"Neg", negative},
    {"Not", negation},
    {"Or", binary<Or>},
    {"Pow", power},
    {"Reciprocal", unary<reciprocal>},
    {"Relu", unary<relu>},
    {"Sigmoid", unary<sigmoid>},
    {"Softplus", unary<softplus>},
    {"Sqrt", unary<square_root>},
    {"Sub", binary<Subtract>},
    {"Sum", folded<Add>},
    {"Tanh", unary<hyperbolic_tangent>},
    {"Where", where},
};

}  // namespace

std::span<const NamedOperator> elementwise_operators() {
    return kOperators;
}

}  // namespace lookalike

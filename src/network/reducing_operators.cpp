// Operators that make one element of many.
#include <cmath>
#include <limits>

#include "network/operators.h"

namespace lookalike {
namespace {

using Tensors = std::vector<Tensor>;

/// Which axes are reduced, and what shape comes of it.
struct Reduction {
    Shape shape;                  ///< with the reduced axes
    Shape kept_shape;             ///< with 1 for them
    Shape final_shape;            ///< as the node wants it
    std::vector<size_t> strides;  ///< of the result, seen from the input
    double count;                 ///< elements that become one
};

Reduction reduction_of(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const auto axes = call.list("axes", 1);
    const bool keeps = call.node.integer("keepdims", 1) != 0;
    const bool takes_all = !axes || axes->empty();
    std::vector<bool> reduced(x.rank(), takes_all);
    if (!takes_all)
        for (const int64_t axis : *axes)
            reduced[call.axis(axis, x.rank())] = true;
    Reduction r{x.shape(), x.shape(), {}, {}, 1};
    for (size_t i = 0; i < x.rank(); ++i) {
        if (reduced[i]) {
            r.count *= static_cast<double>(x.shape()[i]);
            r.kept_shape[i] = 1;
        }
        if (!reduced[i] || keeps) r.final_shape.push_back(r.kept_shape[i]);
    }
    r.strides = repeated_strides(r.kept_shape, x.shape());
    return r;
}

/// Calls visit(place in the input, place in the result) for each element.
template <class Visit>
void each_element(const Reduction& r, Visit visit) {
    const auto own = strides_of(r.shape);
    const size_t width = r.shape.empty() ? 1 : static_cast<size_t>(r.shape.back());
    const size_t step = r.shape.empty() ? 0 : r.strides.back();
    each_row(r.shape, own, r.strides, [&](size_t from, size_t to) {
        for (size_t i = 0; i < width; ++i)
            visit(from + i, to + i * step);
    });
}

enum class Sum { kPlain, kMean, kLength };

template <Sum kSum>
Tensors reduce_sum(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Reduction r = reduction_of(call);
    std::vector<double> sums(call.count(r.kept_shape), 0);
    if (!x.is_float()) {
        if (kSum != Sum::kPlain) throw NetworkError("it takes floats");
        std::vector<int64_t> totals(sums.size(), 0);
        each_element(r, [&](size_t from, size_t to) {
            totals[to] = static_cast<int64_t>(static_cast<uint64_t>(totals[to]) +
                                              static_cast<uint64_t>(x.numbers()[from]));
        });
        return {Tensor::integers(r.final_shape, std::move(totals))};
    }
    const float* elements = x.reals().data();
    each_element(r, [&](size_t from, size_t to) {
        const double element = elements[from];
        sums[to] += kSum == Sum::kLength ? element * element : element;
    });
    std::vector<float> results;
    for (const double sum : sums)
        results.push_back(static_cast<float>(kSum == Sum::kMean     ? sum / r.count
                                             : kSum == Sum::kLength ? std::sqrt(sum)
                                                                    : sum));
    return {Tensor::floats(r.final_shape, std::move(results))};
}

template <bool kGreatest>
Tensors reduce_extreme(const OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Reduction r = reduction_of(call);
    const float none = std::numeric_limits<float>::infinity();
    std::vector<float> results(call.count(r.kept_shape), kGreatest ? -none : none);
    const auto& elements = x.reals();
    each_element(r, [&](size_t from, size_t to) {
        results[to] = kGreatest ? std::max(results[to], elements[from])
                                : std::min(results[to], elements[from]);
    });
    return {Tensor::floats(r.final_shape, std::move(results))};
}

/// The first of the greatest, as ONNX wants it unless asked otherwise.
Tensors greatest_place(const OperatorCall& call) {
    Tensor x = call.input(0);
    if (!x.is_float()) {
        const auto& numbers = x.numbers();
        x = Tensor::floats(x.shape(), {numbers.begin(), numbers.end()});
    }
    const size_t axis = call.axis(call.node.integer("axis", 0), x.rank());
    if (call.node.integer("select_last_index", 0) != 0)
        throw NetworkError("the last of equal ones is not known");
    Shape shape = x.shape();
    shape[axis] = 1;
    const size_t count = call.count(shape);
    const size_t step = strides_of(x.shape())[axis];
    const auto size = static_cast<size_t>(x.shape()[axis]);
    if (size == 0) throw NetworkError("there is no greatest of nothing");
    std::vector<int64_t> places(count);
    for (size_t i = 0; i < count; ++i) {
        const float* from = x.reals().data() + i / step * step * size + i % step;
        for (size_t k = 1; k < size; ++k)
            if (from[k * step] > from[static_cast<size_t>(places[i]) * step])
                places[i] = static_cast<int64_t>(k);
    }
    if (call.node.integer("keepdims", 1) == 0)
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
    return {Tensor::integers(std::move(shape), std::move(places))};
}

constexpr NamedOperator kOperators[] = {
    {"ArgMax", greatest_place},           {"ReduceL2", reduce_sum<Sum::kLength>},
    {"ReduceMax", reduce_extreme<true>},  {"ReduceMean", reduce_sum<Sum::kMean>},
    {"ReduceMin", reduce_extreme<false>}, {"ReduceSum", reduce_sum<Sum::kPlain>},
};

}  // namespace

std::span<const NamedOperator> reducing_operators() {
    return kOperators;
}

}  // namespace lookalike

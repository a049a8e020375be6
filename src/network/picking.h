// Tensors whose elements come from places of another one.
#pragma once

#include "network/tensor.h"

namespace lookalike {

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
              size_t start, size_t count);

}  // namespace lookalike

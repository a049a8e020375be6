#include "network/picking.h"

#include "network/operators.h"

namespace lookalike {

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

}  // namespace lookalike

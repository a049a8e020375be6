#include "network/tensor.h"

namespace lookalike {

uint64_t element_count(const Shape& shape, uint64_t max_elements) {
    if (shape.size() > kMaxRank) throw NetworkError("a tensor has too many dimensions");
    uint64_t count = 1;
    bool is_empty = false;
    for (const int64_t size : shape) {
        if (size < 0) throw NetworkError("a tensor has a negative size");
        if (size == 0) is_empty = true;
        if (size != 0 && count > max_elements / static_cast<uint64_t>(size))
            throw NetworkError("a tensor of shape " + to_string(shape) + " is too large");
        count *= size == 0 ? 1 : static_cast<uint64_t>(size);
    }
    return is_empty ? 0 : count;
}

std::string to_string(const Shape& shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i)
        text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

Tensor Tensor::floats(Shape shape, std::vector<float> elements) {
    if (elements.size() != element_count(shape))
        throw NetworkError("a tensor's elements do not fit its shape " + to_string(shape));
    Tensor tensor;
    tensor.shape_ = std::move(shape);
    tensor.floats_ = std::make_shared<const std::vector<float>>(std::move(elements));
    return tensor;
}

Tensor Tensor::integers(Shape shape, std::vector<int64_t> elements) {
    if (elements.size() != element_count(shape))
        throw NetworkError("a tensor's elements do not fit its shape " + to_string(shape));
    Tensor tensor;
    tensor.shape_ = std::move(shape);
    tensor.integers_ = std::make_shared<const std::vector<int64_t>>(std::move(elements));
    return tensor;
}

size_t Tensor::count() const {
    return floats_ ? floats_->size() : integers_ ? integers_->size() : 0;
}

uint64_t Tensor::memory_bytes() const {
    return count() * (floats_ ? sizeof(float) : sizeof(int64_t));
}

const std::vector<float>& Tensor::reals() const {
    if (!floats_) throw NetworkError("a tensor does not hold floats");
    return *floats_;
}

const std::vector<int64_t>& Tensor::numbers() const {
    if (!integers_) throw NetworkError("a tensor does not hold whole numbers");
    return *integers_;
}

Tensor Tensor::reshaped(Shape shape) const {
    if (element_count(shape) != count())
        throw NetworkError("a tensor of shape " + to_string(shape_) + " cannot have the shape " +
                           to_string(shape));
    Tensor tensor = *this;
    tensor.shape_ = std::move(shape);
    return tensor;
}

}  // namespace lookalike

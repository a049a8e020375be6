// The arrays that flow through a network: floats, or whole numbers, of up to eight dimensions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

/// A network that cannot be read or run. what() is a primary message in PostgreSQL's style.
class NetworkError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

using Shape = std::vector<int64_t>;

constexpr size_t kMaxRank = 8;
/// A tensor has no more elements; one that is computed is bounded by its network besides.
constexpr uint64_t kMaxElements = uint64_t{1} << 28;

/// How many elements there are. Throws NetworkError for a shape that no tensor has.
uint64_t element_count(const Shape& shape, uint64_t max_elements = kMaxElements);

std::string to_string(const Shape& shape);

/// Copies share their elements, which do not change once the tensor has been handed on.
class Tensor {
  public:
    Tensor() = default;
    static Tensor floats(Shape shape, std::vector<float> elements);
    static Tensor integers(Shape shape, std::vector<int64_t> elements);

    bool is_float() const { return floats_ != nullptr; }
    bool is_empty() const { return !floats_ && !integers_; }  ///< no tensor at all
    const Shape& shape() const { return shape_; }
    size_t rank() const { return shape_.size(); }
    size_t count() const;
    uint64_t memory_bytes() const;

    /// Throw NetworkError when the elements are of the other type.
    const std::vector<float>& reals() const;
    const std::vector<int64_t>& numbers() const;

    /// The same elements in another shape. REQUIRES: it has as many.
    Tensor reshaped(Shape shape) const;

  private:
    Shape shape_;
    std::shared_ptr<const std::vector<float>> floats_;
    std::shared_ptr<const std::vector<int64_t>> integers_;
};

}  // namespace lookalike

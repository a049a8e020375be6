#include "core/split/row_set.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// A sum of 64,000 squares of differences of the largest is 2^118.
constexpr float kLargest = 0x1p50f;
// Below, squares of differences of a millionth would be inaccurate.
constexpr float kSmallest = 0x1p-40f;

/// Infinity if an element is NaN.
float largest_element(std::span<const float> row) {
    uint32_t largest = 0;  // as bits, which sort as the floats do, infinity and NaN last
    for (const float element : row)
        largest = std::max(largest, std::bit_cast<uint32_t>(element) & 0x7fffffff);
    return std::min(std::bit_cast<float>(std::min(largest, 0x7f800000u)),
                    std::numeric_limits<float>::infinity());
}

double power_of_two_below(float value) {
    return std::ldexp(1.0, std::ilogb(value));
}

}  // namespace

bool is_plain(std::span<const float> row) {
    const float largest = largest_element(row);
    return largest == 0 || (largest >= kSmallest && largest <= kLargest);
}

RowSet::RowSet(std::span<const float> values, uint32_t dims, Checkpoint& checkpoint)
    : dims_(dims), values_(values) {
    std::vector<float> largest(values.size() / dims);
    for (size_t i = 0; i < largest.size(); ++i) {
        largest[i] = largest_element(values.subspan(i * dims, dims));
        checkpoint.passed(dims);
    }
    const float of_all = largest.empty() ? 0 : std::ranges::max(largest);
    if (of_all == 0 || (of_all >= kSmallest && of_all <= kLargest)) return;
    float reference = of_all;
    if (of_all > kLargest) {
        // The most of the rows count: a few beyond it must not make all others equal.
        const auto middle = largest.begin() + static_cast<ptrdiff_t>(largest.size() / 2);
        std::ranges::nth_element(largest, middle);
        reference = std::min(*middle, std::numeric_limits<float>::max());
        if (reference <= kLargest) reference = 1;
    }
    copy_scaled(values, 1 / power_of_two_below(reference), checkpoint);
}

void RowSet::copy_scaled(std::span<const float> values, double scale, Checkpoint& checkpoint) {
    scale_ = scale;
    copy_.reserve(values.size());
    for (size_t start = 0; start < values.size(); start += dims_) {
        for (const float element : values.subspan(start, dims_)) {
            const double scaled = std::isnan(element) ? 0 : element * scale;
            copy_.push_back(static_cast<float>(
                std::clamp<double>(scaled, -double{kLargest}, double{kLargest})));
        }
        checkpoint.passed(dims_);
    }
    values_ = copy_;
}

float RowSet::original(float value) const {
    constexpr double kMax = std::numeric_limits<float>::max();
    return static_cast<float>(std::clamp(value / scale_, -kMax, kMax));
}

float RowSet::scaled(float original) const {
    constexpr double kMax = std::numeric_limits<float>::max();
    return std::isnan(original) ? 0
                                : static_cast<float>(std::clamp(original * scale_, -kMax, kMax));
}

}  // namespace lookalike

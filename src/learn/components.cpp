#include "learn/components.h"

#include <algorithm>

namespace lookalike {
namespace {

constexpr size_t kBlockRows = 256;  // so many points are doubles at a time
// Axes along which points differ less, of the first, hold nothing but rounding.
constexpr double kLeastShare = 1e-9;

std::vector<double> mean_of(const RowsView& points) {
    std::vector<double> mean(points.dims);
    for (size_t i = 0; i < points.row_count; ++i)
        for (size_t d = 0; d < points.dims; ++d)
            mean[d] += points.row(i)[d];
    for (double& sum : mean)
        sum /= static_cast<double>(points.row_count);
    return mean;
}

// Points from the mean, a block of them.
void fill_block(const RowsView& points, size_t first, const std::vector<double>& mean,
                Matrix& block) {
    for (size_t i = 0; i < block.row_count; ++i)
        for (size_t d = 0; d < points.dims; ++d)
            block.row(i)[d] = points.row(first + i)[d] - mean[d];
}

Matrix covariance_of(const RowsView& points, const std::vector<double>& mean) {
    Matrix sum(points.dims, points.dims);
    for (size_t first = 0; first < points.row_count; first += kBlockRows) {
        Matrix block(std::min(kBlockRows, points.row_count - first), points.dims);
        fill_block(points, first, mean, block);
        add_outer_products(block.values.data(), block.row_count, sum);
    }
    complete_symmetric(sum);
    sum.scale(1.0 / static_cast<double>(points.row_count));
    return sum;
}

void find_coordinates(const RowsView& points, Components& components) {
    components.coordinates.resize(points.row_count * components.axis_count);
    auto next = components.coordinates.begin();
    for (size_t first = 0; first < points.row_count; first += kBlockRows) {
        Matrix block(std::min(kBlockRows, points.row_count - first), points.dims);
        fill_block(points, first, components.mean, block);
        const Matrix part = product_with_transposed(block, components.axes.vectors);
        next = std::transform(part.values.begin(), part.values.end(), next,
                              [](double x) { return static_cast<float>(x); });
    }
}

// The first `count` axes.
void keep_axes(Components& components, size_t count) {
    Matrix& vectors = components.axes.vectors;
    vectors.values.resize(count * vectors.column_count);
    vectors.row_count = count;
    components.axes.values.resize(count);
    components.axis_count = count;
}

}  // namespace

Components principal_components(const RowsView& points, size_t most_axes) {
    check_rows(points);
    std::vector<double> mean = mean_of(points);
    Matrix covariance = covariance_of(points, mean);
    const double variance = covariance.trace();
    Components components{.mean = std::move(mean),
                          .axes = top_eigenvectors(covariance, std::min(most_axes, points.dims)),
                          .variance = variance,
                          .coordinates = {},
                          .axis_count = 0};
    const std::vector<double>& values = components.axes.values;
    const double least = std::max(values.front() * kLeastShare, 1e-30);
    keep_axes(components, static_cast<size_t>(std::ranges::count_if(
                              values, [&](double value) { return value > least; })));
    find_coordinates(points, components);
    return components;
}

}  // namespace lookalike

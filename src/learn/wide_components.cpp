#include "learn/wide_components.h"

#include <algorithm>
#include <cmath>

#include "learn/symmetric.h"

namespace lookalike {
namespace {

constexpr size_t kBlockDims = 64;  // so many dimensions of all rows are doubles at a time
/// Components along which rows differ less, of the first, hold nothing but rounding.
constexpr double kLeastShare = 1e-6;
/// Of the mean variance of the components: what each gets added before it is whitened, as few rows
/// say little of the small ones.
constexpr double kAddedVariance = 0.1;

std::vector<double> mean_of(const RowsView& rows) {
    std::vector<double> mean(rows.dims);
    for (size_t i = 0; i < rows.row_count; ++i)
        for (size_t d = 0; d < rows.dims; ++d)
            mean[d] += rows.row(i)[d];
    for (double& sum : mean)
        sum /= static_cast<double>(rows.row_count);
    return mean;
}

/// Some dimensions of all rows, from the mean: one line a dimension.
Matrix block_of(const RowsView& rows, const std::vector<double>& mean, size_t first) {
    Matrix block(std::min(kBlockDims, rows.dims - first), rows.row_count);
    for (size_t d = 0; d < block.row_count; ++d)
        for (size_t i = 0; i < rows.row_count; ++i)
            block.row(d)[i] = rows.row(i)[first + d] - mean[first + d];
    return block;
}

/// Inner products of all rows, from the mean.
Matrix products_of(const RowsView& rows, const std::vector<double>& mean) {
    Matrix products(rows.row_count, rows.row_count);
    for (size_t first = 0; first < rows.dims; first += kBlockDims) {
        const Matrix block = block_of(rows, mean, first);
        add_outer_products(block.values.data(), block.row_count, products);
    }
    complete_symmetric(products);
    return products;
}

/// What the projection on each eigenvector is multiplied by. Whitening leaves the mean as it is.
std::vector<double> factors_of(const std::vector<double>& values, bool whiten) {
    double mean = 0;
    for (const double value : values)
        mean += value / static_cast<double>(values.size());
    std::vector<double> factors;
    for (const double value : values) {
        const double length = whiten ? std::sqrt(value / mean + kAddedVariance) : 1;
        factors.push_back(1 / (std::sqrt(value) * length));
    }
    return factors;
}

}  // namespace

ComponentMap map_to_components(const RowsView& rows, uint32_t dims, bool whiten) {
    const std::vector<double> mean = mean_of(rows);
    Matrix products = products_of(rows, mean);
    Eigenvectors found =
        top_eigenvectors(products, std::min<size_t>(dims, std::min(rows.row_count, rows.dims)));
    const double least = std::max(found.values.front() * kLeastShare, 1e-12);
    const auto count = static_cast<size_t>(
        std::ranges::count_if(found.values, [&](double value) { return value > least; }));
    if (count == 0) return {};
    found.values.resize(count);
    found.vectors.values.resize(count * rows.row_count);
    found.vectors.row_count = count;
    const std::vector<double> factors = factors_of(found.values, whiten);

    ComponentMap map{static_cast<uint32_t>(count), std::vector<float>((rows.dims + 1) * count)};
    std::vector<double> offset(count);
    for (size_t first = 0; first < rows.dims; first += kBlockDims) {
        const Matrix part = product_with_transposed(block_of(rows, mean, first), found.vectors);
        for (size_t d = 0; d < part.row_count; ++d)
            for (size_t j = 0; j < count; ++j) {
                const double number = part.row(d)[j] * factors[j];
                map.values[(first + d) * count + j] = static_cast<float>(number);
                offset[j] -= mean[first + d] * number;
            }
    }
    std::ranges::transform(offset, map.values.begin() + static_cast<ptrdiff_t>(rows.dims * count),
                           [](double x) { return static_cast<float>(x); });
    return map;
}

}  // namespace lookalike

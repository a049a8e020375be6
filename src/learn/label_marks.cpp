#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>

#include "learn/mark_set.h"

namespace lookalike {
namespace {

// Points that are held out and search, and others among which they do.
constexpr size_t kMostSearches = 300;
constexpr size_t kMostAnswers = 1000;

// The average precision of a search whose answers come in the order of `distances`; NaN without a
// right one.
double average_precision(const std::vector<double>& distances, std::span<const uint64_t> labels,
                         size_t query, std::vector<size_t>& order) {
    order.resize(distances.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t i) { return distances[i]; });
    double right = 0, seen = 0, sum = 0;
    for (const size_t i : order) {
        if (i == query) continue;
        ++seen;
        if (labels[i] != labels[query]) continue;
        ++right;
        sum += right / seen;
    }
    return right > 0 ? sum / right : std::numeric_limits<double>::quiet_NaN();
}

class LabelMarks : public MarkSet {
  public:
    LabelMarks(const RowsView& points, std::span<const uint64_t> labels)
        : labels_(labels), folds_(folds_of(points)) {}

    Scatter scatter(const Components& components, uint32_t fold) const override {
        const size_t axes = components.axis_count;
        std::map<uint64_t, std::vector<size_t>> classes;
        std::vector<size_t> all;
        for (size_t i = 0; i < labels_.size(); ++i) {
            if (folds_[i] == fold) continue;
            classes[labels_[i]].push_back(i);
            all.push_back(i);
        }
        Scatter result{.within = Matrix(axes, axes), .between = {Matrix(axes, axes)}};
        size_t freedom = 0;  // points, less one for each mean
        for (const auto& [label, points] : classes) {
            add_from_mean(components, points, result.within);
            freedom += points.size() - 1;
        }
        add_from_mean(components, all, result.between[0]);
        complete_symmetric(result.within);
        complete_symmetric(result.between[0]);
        result.is_complete = freedom > 0 && classes.size() > 1;
        // Two points differ by twice what one differs from the mean.
        if (freedom > 0) result.within.scale(2.0 / static_cast<double>(freedom));
        if (!all.empty()) result.between[0].scale(2.0 / static_cast<double>(all.size()));
        return result;
    }

    std::vector<double> figures(const MappedPoints& points, std::span<const size_t> dims,
                                uint32_t fold) const override {
        // Those of the fold come first: they search.
        std::vector<size_t> order = points_of(fold, true, kMostSearches);
        const size_t search_count = order.size();
        std::ranges::copy(points_of(fold, false, kMostAnswers), std::back_inserter(order));
        std::vector<uint64_t> labels;
        Matrix rows(order.size(), points.dims);
        for (size_t i = 0; i < order.size(); ++i) {
            labels.push_back(labels_[order[i]]);
            std::copy_n(points.values + order[i] * points.dims, points.dims, rows.row(i));
        }
        return mean_precisions(mapped(std::move(rows), points.map), labels, search_count, dims);
    }

  private:
    std::vector<size_t> points_of(uint32_t fold, bool inside, size_t most) const {
        std::vector<size_t> points;
        for (size_t i = 0; i < labels_.size() && points.size() < most; ++i)
            if ((folds_[i] == fold) == inside) points.push_back(i);
        return points;
    }

    static void add_from_mean(const Components& components, std::span<const size_t> points,
                              Matrix& sum) {
        const size_t axes = components.axis_count;
        std::vector<double> mean(axes);
        for (const size_t point : points)
            for (size_t d = 0; d < axes; ++d)
                mean[d] += components.of(point)[d] / static_cast<double>(points.size());
        constexpr size_t kBlockRows = 512;
        for (size_t first = 0; first < points.size(); first += kBlockRows) {
            Matrix rows(std::min(kBlockRows, points.size() - first), axes);
            for (size_t i = 0; i < rows.row_count; ++i)
                for (size_t d = 0; d < axes; ++d)
                    rows.row(i)[d] = components.of(points[first + i])[d] - mean[d];
            add_outer_products(rows.values.data(), rows.row_count, sum);
        }
    }

    static std::vector<double> mean_precisions(const Matrix& rows, std::span<const uint64_t> labels,
                                               size_t search_count, std::span<const size_t> dims) {
        std::vector<double> sums(dims.size()), counts(dims.size());
        std::vector<double> distances(rows.row_count);
        std::vector<size_t> order;
        for (size_t query = 0; query < search_count; ++query) {
            std::ranges::fill(distances, 0);
            size_t from = 0;
            for (size_t k = 0; k < dims.size(); from = dims[k++]) {
                add_squares(rows, query, from, dims[k], distances);
                const double precision = average_precision(distances, labels, query, order);
                if (std::isnan(precision)) continue;
                sums[k] += precision;
                ++counts[k];
            }
        }
        for (size_t k = 0; k < dims.size(); ++k)
            sums[k] /= counts[k];  // NaN where there is nothing to find
        return sums;
    }

    static void add_squares(const Matrix& rows, size_t query, size_t from, size_t to,
                            std::vector<double>& distances) {
        const double* a = rows.row(query);
        for (size_t i = 0; i < rows.row_count; ++i) {
            const double* b = rows.row(i);
            double sum = 0;
            for (size_t d = from; d < to; ++d)
                sum += (a[d] - b[d]) * (a[d] - b[d]);
            distances[i] += sum;
        }
    }

    std::span<const uint64_t> labels_;
    std::vector<uint32_t> folds_;
};

}  // namespace

std::unique_ptr<MarkSet> make_label_marks(const RowsView& points,
                                          std::span<const uint64_t> labels) {
    return std::make_unique<LabelMarks>(points, labels);
}

}  // namespace lookalike

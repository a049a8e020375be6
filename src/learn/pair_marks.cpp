#include <algorithm>
#include <cmath>
#include <limits>

#include "learn/mark_set.h"

namespace lookalike {
namespace {

// Differences that are in memory at a time.
constexpr size_t kBlockPairs = 512;

struct JudgedPair {
    double distance;
    bool is_good;
};

// The share of good pairs that are nearer than bad ones; equal distances count half.
double share_told(std::vector<JudgedPair>& pairs) {
    std::ranges::sort(pairs, {}, &JudgedPair::distance);
    double good_count = 0, bad_count = 0, told = 0;
    for (size_t i = 0; i < pairs.size();) {
        double good = 0, bad = 0;
        const double distance = pairs[i].distance;
        for (; i < pairs.size() && pairs[i].distance == distance; ++i)
            ++(pairs[i].is_good ? good : bad);
        told += bad * (good_count + good / 2);
        good_count += good;
        bad_count += bad;
    }
    if (good_count == 0 || bad_count == 0) return std::numeric_limits<double>::quiet_NaN();
    return told / (good_count * bad_count);
}

class PairMarks : public MarkSet {
  public:
    PairMarks(const RowsView& points, std::span<const uint64_t> marks)
        : marks_(marks), folds_(folds_of(points)) {}

    Scatter scatter(const Components& components, uint32_t fold) const override {
        const size_t axes = components.axis_count;
        Scatter result{.within = Matrix(axes, axes), .between = {Matrix(axes, axes)}};
        const MappedPoints points{components.coordinates.data(), axes, nullptr};
        const size_t good = add_differences(points, fold, 1, result.within);
        const size_t bad = add_differences(points, fold, 0, result.between[0]);
        // What lies between any two points: where marks are of near pairs only, another answer.
        Matrix total(axes, axes);
        for (size_t i = 0; i < axes; ++i)
            total.row(i)[i] = 2 * components.axes.values[i];
        result.between.push_back(std::move(total));
        result.is_complete = good > 0 && bad > 0;
        return result;
    }

    std::vector<double> figures(const MappedPoints& points, std::span<const size_t> dims,
                                uint32_t fold) const override {
        const std::vector<size_t> pairs =
            pairs_where([&](size_t pair) { return is_held_out(pair, fold); });
        std::vector<std::vector<JudgedPair>> judged(dims.size());
        for (size_t first = 0; first < pairs.size(); first += kBlockPairs) {
            const auto block =
                std::span(pairs).subspan(first, std::min(kBlockPairs, pairs.size() - first));
            judge(mapped(differences(points, block), points.map), block, dims, judged);
        }
        std::vector<double> result;
        for (std::vector<JudgedPair>& of_dims : judged)
            result.push_back(share_told(of_dims));
        return result;
    }

  private:
    bool is_held_out(size_t pair, uint32_t fold) const {
        return folds_[2 * pair] == fold || folds_[2 * pair + 1] == fold;
    }

    template <typename Condition>
    std::vector<size_t> pairs_where(Condition condition) const {
        std::vector<size_t> pairs;
        for (size_t pair = 0; pair < marks_.size(); ++pair)
            if (condition(pair)) pairs.push_back(pair);
        return pairs;
    }

    Matrix differences(const MappedPoints& points, std::span<const size_t> pairs) const {
        Matrix rows(pairs.size(), points.dims);
        for (size_t i = 0; i < pairs.size(); ++i) {
            const float* a = points.values + 2 * pairs[i] * points.dims;
            for (size_t d = 0; d < points.dims; ++d)
                rows.row(i)[d] = double{a[d]} - a[points.dims + d];
        }
        return rows;
    }

    size_t add_differences(const MappedPoints& points, uint32_t fold, uint64_t mark,
                           Matrix& sum) const {
        const std::vector<size_t> pairs = pairs_where(
            [&](size_t pair) { return marks_[pair] == mark && !is_held_out(pair, fold); });
        for (size_t first = 0; first < pairs.size(); first += kBlockPairs) {
            const size_t count = std::min(kBlockPairs, pairs.size() - first);
            const Matrix rows = differences(points, std::span(pairs).subspan(first, count));
            add_outer_products(rows.values.data(), count, sum);
        }
        complete_symmetric(sum);
        if (!pairs.empty()) sum.scale(1.0 / static_cast<double>(pairs.size()));
        return pairs.size();
    }

    // Adds the pairs with their squared distances along the first so many directions.
    void judge(const Matrix& rows, std::span<const size_t> pairs, std::span<const size_t> dims,
               std::vector<std::vector<JudgedPair>>& judged) const {
        for (size_t i = 0; i < pairs.size(); ++i) {
            double distance = 0;
            size_t from = 0;
            for (size_t k = 0; k < dims.size(); from = dims[k++]) {
                for (size_t d = from; d < dims[k]; ++d)
                    distance += rows.row(i)[d] * rows.row(i)[d];
                judged[k].push_back({distance, marks_[pairs[i]] != 0});
            }
        }
    }

    std::span<const uint64_t> marks_;
    std::vector<uint32_t> folds_;  // of the points
};

}  // namespace

std::unique_ptr<MarkSet> make_pair_marks(const RowsView& points, std::span<const uint64_t> marks) {
    return std::make_unique<PairMarks>(points, marks);
}

}  // namespace lookalike

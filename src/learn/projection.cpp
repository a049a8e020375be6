#include "learn/projection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "learn/mark_set.h"

namespace lookalike {
namespace {

// What is added to the scatter along each axis, in parts of its mean: the more, the less is
// learned.
constexpr std::array kShrinkages{0.03, 0.1, 0.3, 1.0, 3.0, 10.0};
constexpr double kWhiteningShrinkage = 0.1;
constexpr double kKeptVariance = 0.95;
// The dimensions that are tried where none are asked for.
constexpr std::array<size_t, 4> kTriedDims{32, 64, 128, kMaxComponents};
// Fewer dimensions are taken where they cost no more than this of the figure.
constexpr double kWorthOfDims = 0.003;
// What is learned must gain so much, and so many times the error of what it gains: it is the best
// of many tries, of which one gains something by chance.
constexpr double kLeastGain = 0.01;
constexpr double kSureErrors = 4;

/// What is chosen by the marks that are held out.
struct Choice {
    double shrinkage = 0;
    size_t between = 0;
    size_t dims_out = 0;
};

struct Judged {
    Choice choice;
    std::vector<double> figures;  ///< of each fold
};

double mean_of(const std::vector<double>& figures) {
    double sum = 0, count = 0;
    for (const double figure : figures) {
        if (std::isnan(figure)) continue;
        sum += figure;
        ++count;
    }
    return sum / count;
}

// Directions along which points that do not belong together differ more than those that do, each as
// long as the logarithm of how much more has it. The best first.
Matrix directions(Scatter scatter, const Choice& choice) {
    Matrix& between = scatter.between[choice.between];
    const size_t axes = scatter.within.row_count;
    const double added = choice.shrinkage * scatter.within.trace() / static_cast<double>(axes);
    scatter.within.add_to_diagonal(added);
    between.add_to_diagonal(added);
    Eigenvectors whitening = top_eigenvectors(scatter.within, axes);
    for (size_t i = 0; i < axes; ++i) {
        const double length = 1 / std::sqrt(std::max(whitening.values[i], 1e-30));
        for (size_t d = 0; d < axes; ++d)
            whitening.vectors.row(i)[d] *= length;
    }
    Matrix whitened =
        product_with_transposed(product(whitening.vectors, between), whitening.vectors);
    const Eigenvectors ratios = top_eigenvectors(whitened, axes);
    Matrix result = product(ratios.vectors, whitening.vectors);
    for (size_t i = 0; i < axes; ++i) {
        const double length = std::sqrt(std::max(std::log(std::max(ratios.values[i], 1e-9)), 0.0));
        for (size_t d = 0; d < axes; ++d)
            result.row(i)[d] *= length;
    }
    return result;
}

class Learner {
  public:
    Learner(const RowsView& points, const MarkSet& marks, const Components& components,
            const ProjectionOptions& options)
        : points_(points), marks_(marks), components_(components), options_(options) {
        const size_t most = components.axis_count;
        if (options.dims_out > 0) {
            tried_dims_ = {std::min<size_t>(options.dims_out, most)};
        } else {
            for (const size_t dims : kTriedDims)
                if (dims < most) tried_dims_.push_back(dims);
            tried_dims_.push_back(most);
        }
    }

    // Null dims_out: nothing is worth it.
    Choice choose(LearnedProjection& learned) {
        const std::vector<double> before = figures_before();
        learned.held_out_before = learned.held_out_after = mean_of(before);
        judge_all();
        const Judged* best = nullptr;
        for (const Judged& judged : judged_)
            if (best == nullptr || mean_of(judged.figures) > mean_of(best->figures)) best = &judged;
        if (best == nullptr || !(gain_over(before, *best) > 0)) return {};
        for (const Judged& judged : judged_)
            if (judged.choice.shrinkage == best->choice.shrinkage &&
                judged.choice.between == best->choice.between &&
                judged.choice.dims_out < best->choice.dims_out &&
                mean_of(judged.figures) > mean_of(best->figures) - kWorthOfDims &&
                gain_over(before, judged) > 0)
                best = &judged;
        learned.held_out_after = mean_of(best->figures);
        return best->choice;
    }

  private:
    std::vector<double> figures_before() const {
        std::vector<double> before(kFolds);
        const size_t dims = points_.dims;
        for (uint32_t fold = 0; fold < kFolds; ++fold)
            before[fold] = marks_.figures({points_.values, dims, nullptr}, {&dims, 1}, fold)[0];
        return before;
    }

    void judge_all() {
        for (uint32_t fold = 0; fold < kFolds; ++fold) {
            const Scatter scatter = marks_.scatter(components_, fold);
            if (scatter.is_complete) judge_fold(scatter, fold);
            if (options_.progress) options_.progress(fold + 1, kFolds + 1);
        }
    }

    void judge_fold(const Scatter& scatter, uint32_t fold) {
        size_t next = 0;
        for (size_t between = 0; between < scatter.between.size(); ++between) {
            for (const double shrinkage : kShrinkages) {
                const Matrix map = directions(scatter, {shrinkage, between, 0});
                const std::vector<double> figures =
                    marks_.figures({components_.coordinates.data(), components_.axis_count, &map},
                                   tried_dims_, fold);
                for (size_t k = 0; k < tried_dims_.size(); ++k, ++next)
                    note({shrinkage, between, tried_dims_[k]}, next, fold, figures[k]);
            }
        }
    }

    void note(const Choice& choice, size_t place, uint32_t fold, double figure) {
        constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
        if (judged_.size() <= place)
            judged_.push_back({choice, std::vector<double>(kFolds, kUnknown)});
        judged_[place].figures[fold] = figure;
    }

    // How much more is told than before, less what that may be by chance; not above 0: no gain.
    static double gain_over(const std::vector<double>& before, const Judged& judged) {
        std::vector<double> gains;
        for (size_t fold = 0; fold < kFolds; ++fold) {
            const double gain = judged.figures[fold] - before[fold];
            if (!std::isnan(gain)) gains.push_back(gain);
        }
        if (gains.size() < 2) return 0;
        const double mean = mean_of(gains), count = static_cast<double>(gains.size());
        double squares = 0;
        for (const double gain : gains)
            squares += (gain - mean) * (gain - mean);
        const double error = std::sqrt(squares / (count - 1) / count);
        return mean - std::max(kLeastGain, kSureErrors * error);
    }

    const RowsView& points_;
    const MarkSet& marks_;
    const Components& components_;
    const ProjectionOptions& options_;
    std::vector<size_t> tried_dims_;
    std::vector<Judged> judged_;
};

// Directions that have a length come first.
size_t directions_of_length(const Matrix& map, size_t most) {
    size_t count = 0;
    while (count < most && std::any_of(map.row(count), map.row(count) + map.column_count,
                                       [](double x) { return x != 0; }))
        ++count;
    return count;
}

// Rows of `map` are directions along the axes. Distances are as large in the mean as they were.
void write_projection(const Components& components, const Matrix& map, size_t dims_out,
                      LearnedProjection& learned) {
    const size_t dims = components.mean.size();
    dims_out = directions_of_length(map, dims_out);
    if (dims_out == 0) return;
    Matrix first = map;
    first.row_count = dims_out;
    first.values.resize(dims_out * first.column_count);
    double variance = 0;
    for (size_t i = 0; i < dims_out; ++i)
        for (size_t d = 0; d < first.column_count; ++d)
            variance += first.row(i)[d] * first.row(i)[d] * components.axes.values[d];
    first.scale(std::sqrt(components.variance / variance));
    const Matrix whole = product(first, components.axes.vectors);
    learned.dims_out = static_cast<uint32_t>(dims_out);
    learned.values.resize((dims + 1) * dims_out);
    for (size_t i = 0; i < dims_out; ++i) {
        double offset = 0;
        for (size_t d = 0; d < dims; ++d) {
            learned.values[d * dims_out + i] = static_cast<float>(whole.row(i)[d]);
            offset -= whole.row(i)[d] * components.mean[d];
        }
        learned.values[dims * dims_out + i] = static_cast<float>(offset);
    }
}

// The number of axes that have most of the variance.
size_t axes_of_most_variance(const Components& components) {
    double sum = 0;
    for (size_t i = 0; i < components.axis_count; ++i) {
        sum += components.axes.values[i];
        if (sum >= kKeptVariance * components.variance) return i + 1;
    }
    return components.axis_count;
}

// Without marks: the components as they are, or about as long as each other.
void take_components(const Components& components, bool whiten, const ProjectionOptions& options,
                     LearnedProjection& learned) {
    const size_t axes = components.axis_count;
    const double added = kWhiteningShrinkage * components.variance / static_cast<double>(axes);
    Matrix map(axes, axes);
    for (size_t i = 0; i < axes; ++i)
        map.row(i)[i] = whiten ? 1 / std::sqrt(components.axes.values[i] + added) : 1;
    const size_t dims_out = options.dims_out > 0 ? std::min<size_t>(options.dims_out, axes)
                                                 : axes_of_most_variance(components);
    write_projection(components, map, dims_out, learned);
}

}  // namespace

LearnedProjection learn_projection(const RowsView& points, const ProjectionMarks& marks,
                                   const ProjectionOptions& options) {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    LearnedProjection learned;
    learned.held_out_before = learned.held_out_after = kUnknown;
    const Components components = principal_components(points, kMaxComponents);
    if (components.axis_count == 0) return learned;
    const bool whiten = marks.aim == ProjectionAim::kWhitening;
    if (whiten || marks.aim == ProjectionAim::kComponents) {
        take_components(components, whiten, options, learned);
        return learned;
    }
    const std::unique_ptr<MarkSet> set = marks.aim == ProjectionAim::kLabels
                                             ? make_label_marks(points, marks.marks)
                                             : make_pair_marks(points, marks.marks);
    const Choice choice = Learner(points, *set, components, options).choose(learned);
    if (choice.dims_out == 0) return learned;
    const Scatter scatter = set->scatter(components, kNoFold);
    write_projection(components, directions(scatter, choice), choice.dims_out, learned);
    if (options.progress) options.progress(kFolds + 1, kFolds + 1);
    return learned;
}

}  // namespace lookalike

// Which points belong together: parted into those to learn from and those that judge.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "learn/components.h"

namespace lookalike {

/// Points are held out in so many parts, one after the other.
constexpr uint32_t kFolds = 5;
/// Holds out nothing.
constexpr uint32_t kNoFold = kFolds;

/// How points differ: sums of outer products of differences along the axes, each divided by how
/// many there are.
struct Scatter {
    Matrix within;                ///< of points that belong together
    std::vector<Matrix> between;  ///< of others, in one or two ways to say so
    bool is_complete = false;     ///< there are points of both sorts
};

/// Points as rows of numbers, and a map that is applied to their differences: rows are directions.
struct MappedPoints {
    const float* values;
    size_t dims;
    const Matrix* map;  ///< null: as they are
};

class MarkSet {
  public:
    virtual ~MarkSet() = default;
    /// Of the points that are not in `fold`.
    virtual Scatter scatter(const Components& components, uint32_t fold) const = 0;
    /// How well the points of `fold` are told by their distances along the first so many
    /// directions, for each number of `dims`; NaN where there is nothing to tell. REQUIRES: `dims`
    /// ascends.
    virtual std::vector<double> figures(const MappedPoints& points, std::span<const size_t> dims,
                                        uint32_t fold) const = 0;
};

/// Points come in twos; `marks` says of each two whether they belong together, 1 or 0. Figures are
/// the share of good pairs that are nearer than bad ones.
std::unique_ptr<MarkSet> make_pair_marks(const RowsView& points, std::span<const uint64_t> marks);

/// `labels` has one for each point; those of equal labels belong together. Figures are the mean
/// average precision of searches among what is held out.
std::unique_ptr<MarkSet> make_label_marks(const RowsView& points, std::span<const uint64_t> labels);

// What both of them need.

/// A point belongs to one part wherever it comes: what judges has not been learned from.
std::vector<uint32_t> folds_of(const RowsView& points);

/// The rows along the directions of the map: `rows` itself where there is none.
Matrix mapped(Matrix rows, const Matrix* map);

}  // namespace lookalike

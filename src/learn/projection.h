// Learning of a linear map after which what belongs together lies together.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "learn/rows.h"

namespace lookalike {

/// What is known of the points.
struct ProjectionMarks {
    ProjectionAim aim;
    /// kLabels: the label of each point. kPairs: points come in twos, and this says of each two
    /// whether they belong together, 1 or 0. Else empty.
    std::span<const uint64_t> marks;
};

struct ProjectionOptions {
    uint32_t dims_out = 0;  ///< 0: as many as serve, up to kMaxComponents
    /// Called after every step with the steps finished and the steps in all. May throw to stop.
    std::function<void(size_t step, size_t step_count)> progress = nullptr;
};

struct LearnedProjection {
    uint32_t dims_out = 0;      ///< 0: nothing that would serve was found
    std::vector<float> values;  ///< rows and offset, as of core/vector/projection.h
    /// How well marks that had been held out are told, without a projection and with it: the share
    /// of good pairs that are nearer than bad ones, of labels the mean average precision. NaN where
    /// nothing could be held out.
    double held_out_before = 0;
    double held_out_after = 0;
};

/// Equal points and marks in an equal order give equal bytes. Throws InvalidRows,
/// NoEigenvectors, std::bad_alloc. REQUIRES: at least one point; dims_out <= dims.
LearnedProjection learn_projection(const RowsView& points, const ProjectionMarks& marks,
                                   const ProjectionOptions& options);

}  // namespace lookalike

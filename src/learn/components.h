// Points by their principal components: what learning a projection works on.
#pragma once

#include <functional>

#include "learn/rows.h"
#include "learn/symmetric.h"

namespace lookalike {

struct Components {
    std::vector<double> mean;        ///< of the points
    Eigenvectors axes;               ///< one row an axis; fewer than the dimensions
    double variance = 0;             ///< of the points along all dimensions together
    std::vector<float> coordinates;  ///< of each point along each axis, from the mean
    size_t axis_count = 0;           ///< 0: the points do not differ

    const float* of(size_t point) const { return coordinates.data() + point * axis_count; }
};

/// Throws InvalidRows, NoEigenvectors. REQUIRES: at least one point; most_axes > 0.
Components principal_components(const RowsView& points, size_t most_axes);

}  // namespace lookalike

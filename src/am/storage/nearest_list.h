// Which list a row goes to, where the root lies in the backend's own memory.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// A row and the list whose centroid is nearest to it: code_dims floats each, in index space.
struct NearestList {
    BlockNumber list_id;
    float* vector;
    double rounding;  ///< of `vector`, as IndexSpace::to_space() says
    float* centroid;
};

/// Finds the list that a search for one list (ScanQuery's `epsilon`) gives out, without what a
/// search for more would need. palloc'd. REQUIRES: loaded.root; no binary metric.
NearestList nearest_of_copy(Relation index, const LoadedIndex& loaded, const float* row,
                            double epsilon);

}  // namespace lookalike

// The lists of an index and their centroids, read from its root.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// The lists of an index at one moment, in the order of the root. Does not own.
struct TreeLists {
    uint32 count;
    const BlockNumber* lists;
    const float* centroids;  ///< code_dims each, in index space; binary metrics: -1 and 1
};

/// Bytes that read_tree_lists() takes.
uint64 tree_lists_bytes(const LoadedIndex& loaded);

/// Reads them into the current memory context. REQUIRES: an index of depth 2.
TreeLists read_tree_lists(Relation index, const LoadedIndex& loaded);

/// Squared, between the centroids of two lists. `code_dims` as in IndexShape.
double centroid_distance(const TreeLists& tree, uint32 code_dims, uint32 a, uint32 b);

}  // namespace lookalike

// What functions that read an index page by page, without a search, have in common.
#pragma once

#include "am/storage/loaded_index.h"
#include "inspect/rights.h"

namespace lookalike {

/// An index that is being read. Lives in one memory context.
struct IndexPages {
    Relation heap;
    Relation index;
    MetaPage meta;
    IndexShape shape;  ///< zeros while the dimensions are unknown
    ListGeometry leaf;
    ListGeometry inner;
    uint8_t* page;   ///< copy of the list page that is being looked at
    uint8_t* codes;  ///< room for those of one block
};

/// REQUIRES: pages->heap and pages->index. Sets what follows them.
void start_reading(IndexPages* pages);

/// Copies the floats of the centroid that entry `entry` of pages->page holds, a page of the root at
/// `block`. `slot` is room for inner.slot_bytes. REQUIRES: no binary metric.
void read_centroid_floats(const IndexPages& pages, BlockNumber block, uint32 entry, uint8_t* slot,
                          float* centroid);

}  // namespace lookalike

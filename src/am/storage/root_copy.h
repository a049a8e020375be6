// The root of an index in the backend's own memory: every search goes through it, and it does not
// change between builds.
#pragma once

#include <memory>
#include <vector>

#include "am/storage/pages.h"
#include "core/page/list_geometry.h"

namespace lookalike {

/// The pages of a root, as they follow each other in the index.
struct RootCopy {
    BlockNumber first_block;
    std::vector<uint8_t> pages;

    /// REQUIRES: the block is one of the root's; null otherwise.
    const uint8_t* page(BlockNumber block) const {
        const size_t at = size_t{block - first_block} * BLCKSZ;
        return block < first_block || at >= pages.size() ? nullptr : pages.data() + at;
    }
};

/// Copies the root of an index of depth 2 to `copy`, if it takes at most `most_bytes`, has its
/// codes in its list pages and looks sound; otherwise leaves `copy` alone.
void copy_root(Relation index, const IndexShape& shape, size_t most_bytes,
               std::shared_ptr<const RootCopy>* copy);

}  // namespace lookalike

// The root of an index in the backend's own memory: every search goes through it, and it changes
// only when lists come and go.
#pragma once

#include <memory>
#include <vector>

#include "am/storage/pages.h"
#include "core/page/list_geometry.h"

namespace lookalike {

/// The pages of a root at one version of the tree. Their links are those of the copy, whose blocks
/// are numbered from kFirst on. Only the lists of that version are in use.
struct RootCopy {
    static constexpr BlockNumber kFirst = 1;

    std::vector<uint8_t> pages;

    /// Null: no such block.
    const uint8_t* page(BlockNumber block) const {
        const size_t at = size_t{block - kFirst} * BLCKSZ;
        return block < kFirst || at >= pages.size() ? nullptr : pages.data() + at;
    }
};

/// Copies `length` bytes from `offset` of the body of pages[0] on, and on from page to page; false
/// when that leads out of the copy.
bool copy_from_root(const RootCopy& copy, std::span<const BlockNumber> pages, uint32 offset,
                    size_t length, uint8_t* to);

/// Copies the root of an index of depth 2 to `copy`, if it takes at most `most_bytes`, has its
/// codes in its list pages and looks sound; otherwise leaves `copy` alone.
void copy_root(Relation index, const IndexShape& shape, size_t most_bytes,
               std::shared_ptr<const RootCopy>* copy);

}  // namespace lookalike

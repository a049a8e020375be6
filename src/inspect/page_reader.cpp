#include "inspect/page_reader.h"

#include <algorithm>

#include "am/storage/stream.h"
#include "core/page/refine_slot.h"

namespace lookalike {

void start_reading(IndexPages* pages) {
    const LoadedIndex* loaded = load_index(pages->index);
    pages->meta = loaded->meta;
    if (loaded->knows_dims()) pages->shape = loaded->shape;
    pages->leaf = loaded->geometry(0);
    pages->inner = loaded->geometry(1);
    pages->page = static_cast<uint8_t*>(palloc(BLCKSZ));
    pages->codes = static_cast<uint8_t*>(
        palloc(std::max(pages->leaf.block_code_bytes, pages->inner.block_code_bytes) + 1));
}

void read_centroid_floats(const IndexPages& pages, BlockNumber block, uint32 entry, uint8_t* slot,
                          float* centroid) {
    const StreamStretch stretch = slot_stretch(pages.inner, pages.page, block, entry);
    if (!copy_stretch(pages.index, stretch, slot)) {
        raise_corrupted(pages.index, block, "a centroid is missing");
    }
    read_slot_floats(slot, pages.shape.code_dims, centroid);
}

}  // namespace lookalike

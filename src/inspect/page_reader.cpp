#include "inspect/page_reader.h"

#include <algorithm>
#include <cstring>

#include "am/storage/reader.h"

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
    const ListGeometry& geometry = pages.inner;
    const ListPageView view(geometry, pages.page);
    const StreamPlace place = geometry.slot_place(entry);
    if (!copy_stream(pages.index, PageKind::kRefine, pages.meta.root_list, block,
                     view.refine_pages() + place.page_index,
                     geometry.max_refine_pages - place.page_index, place.offset,
                     geometry.slot_bytes, slot)) {
        raise_corrupted(pages.index, block, "a centroid is missing");
    }
    memcpy(centroid, slot + sizeof(RefineSlotHeader) + sizeof(RefineHeader),
           sizeof(float) * pages.shape.code_dims);
}

}  // namespace lookalike

#include "am/root_copy.h"

#include "pg/run_core.h"

namespace lookalike {

void copy_root(Relation index, const IndexShape& shape, size_t most_bytes,
               std::shared_ptr<const RootCopy>* copy) {
    const uint64 page_count = shape.levels[1].pages_for(shape.leaf_count);
    if (page_count > most_bytes / BLCKSZ) return;
    const size_t size = static_cast<size_t>(page_count) * BLCKSZ;
    auto* pages = static_cast<uint8_t*>(MemoryContextAllocHuge(CurrentMemoryContext, size));
    bool is_sound = true;
    for (BlockNumber i = 0; i < page_count && is_sound; ++i) {
        CHECK_FOR_INTERRUPTS();
        const Buffer buffer = lock_page(index, shape.root_list + i, BUFFER_LOCK_SHARE);
        const uint8_t* page = buffer_bytes(buffer);
        is_sound = page_fault(page, page_trailer(page)->kind) == nullptr &&
                   page_trailer(page)->list_id == shape.root_list;
        memcpy(pages + size_t{i} * BLCKSZ, page, BLCKSZ);
        UnlockReleaseBuffer(buffer);
    }
    if (is_sound) {
        run_core([&] {
            *copy = std::make_shared<const RootCopy>(
                RootCopy{shape.root_list, std::vector<uint8_t>(pages, pages + size)});
        });
    }
    pfree(pages);
}

}  // namespace lookalike

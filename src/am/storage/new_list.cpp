#include "am/storage/new_list.h"

#include "am/upkeep/named_point.h"
#include "pg/run_core.h"

namespace lookalike {

void NewList::add(const EncodedEntry& entry) {
    if (builder_->is_full()) flush();
    run_core([&] { builder_->add(entry); });
    if (geometry_.summary_bytes > 0) widen_summary(summary_, entry);
}

BlockNumber NewList::write_stream_page(PageKind kind, uint32 position, BlockNumber list_page) {
    const Buffer buffer = allocate_page(index_);
    PageChange change(index_);
    uint8_t* page = change.add(buffer, true);
    make_page(page, kind, first_block_, list_page);
    if (kind == PageKind::kCode) {
        builder_->fill_code_page(page, position);
    } else {
        builder_->fill_refine_page(page, position);
    }
    change.finish();
    const BlockNumber block = BufferGetBlockNumber(buffer);
    UnlockReleaseBuffer(buffer);
    return block;
}

// What belongs to the list page comes first. Should the page itself not come, VACUUM finds that
// nothing names it.
void NewList::flush() {
    CHECK_FOR_INTERRUPTS();
    const Buffer buffer = allocate_page(index_);
    const BlockNumber block = BufferGetBlockNumber(buffer);
    if (first_block_ == kNoBlock) first_block_ = block;
    const uint32 code_count = builder_->code_page_count();
    const uint32 refine_count = builder_->refine_page_count();
    auto* streams =
        static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * (code_count + refine_count + 1)));
    for (uint32 i = 0; i < code_count; ++i)
        streams[i] = write_stream_page(PageKind::kCode, i, block);
    for (uint32 i = 0; i < refine_count; ++i)
        streams[code_count + i] = write_stream_page(PageKind::kRefine, i, block);
    named_point("new_stream_pages");
    PageChange change(index_);
    uint8_t* page = change.add(buffer, true);
    make_page(page, PageKind::kList, first_block_, kNoBlock);
    builder_->fill_list_page(page, block, 0);
    for (uint32 i = 0; i < code_count; ++i)
        set_code_page(geometry_, page, i, streams[i]);
    for (uint32 i = 0; i < refine_count; ++i)
        set_refine_page(geometry_, page, i, streams[code_count + i]);
    change.finish();
    UnlockReleaseBuffer(buffer);
    pfree(streams);
    named_point("new_list_page");
    if (page_count_ > 0) link_behind_last(block);
    last_block_ = block;
    ++page_count_;
    run_core([&] { builder_->clear(); });
}

void NewList::link_behind_last(BlockNumber block) {
    const Buffer buffer = lock_page(index_, last_block_, BUFFER_LOCK_EXCLUSIVE);
    PageChange change(index_);
    page_trailer(change.add(buffer))->next = block;
    change.finish();
    UnlockReleaseBuffer(buffer);
}

BlockNumber NewList::finish() {
    flush();
    const Buffer buffer = lock_page(index_, first_block_, BUFFER_LOCK_EXCLUSIVE);
    PageChange change(index_);
    uint8_t* page = change.add(buffer);
    // New rows go to the last page, where the only free places are.
    if (page_count_ > 1) set_insert_place(page, {last_block_, page_count_ - 1});
    memcpy(mutable_summary(geometry_, page), summary_, geometry_.summary_bytes);
    change.finish();
    UnlockReleaseBuffer(buffer);
    return first_block_;
}

}  // namespace lookalike

#include "am/build/list_writer.h"

#include "core/page/meta_page.h"
#include "pg/run_core.h"

namespace lookalike {

Buffer add_built_page(Relation index, PageKind kind, BlockNumber list_id, BlockNumber owner) {
    const Buffer buffer = ReadBuffer(index, P_NEW);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    make_page(buffer_bytes(buffer), kind, list_id, owner);
    MarkBufferDirty(buffer);
    return buffer;
}

void ListWriter::begin() {
    first_block_ = RelationGetNumberOfBlocks(index_);
    full_pages_ = 0;
    memset(summary_, 0, sizeof summary_);
}

void ListWriter::add(const EncodedEntry& entry) {
    if (builder_->is_full()) flush(true);
    run_core([&] { builder_->add(entry); });
    if (geometry_.summary_bytes > 0) widen_summary(summary_, entry);
}

void ListWriter::flush(bool more) {
    CHECK_FOR_INTERRUPTS();
    const Buffer buffer = add_built_page(index_, PageKind::kList, first_block_, kNoBlock);
    uint8_t* page = buffer_bytes(buffer);
    const BlockNumber block = BufferGetBlockNumber(buffer);
    builder_->fill_list_page(page, block, level_);
    if (more) page_trailer(page)->next = block + builder_->page_count();
    UnlockReleaseBuffer(buffer);
    for (uint32 i = 0; i < builder_->code_page_count(); ++i) {
        const Buffer code = add_built_page(index_, PageKind::kCode, first_block_, block);
        builder_->fill_code_page(buffer_bytes(code), i);
        UnlockReleaseBuffer(code);
    }
    for (uint32 i = 0; i < builder_->refine_page_count(); ++i) {
        const Buffer refine = add_built_page(index_, PageKind::kRefine, first_block_, block);
        builder_->fill_refine_page(buffer_bytes(refine), i);
        UnlockReleaseBuffer(refine);
    }
    if (more) {
        ++full_pages_;
    } else {
        finish_first_page(block);
    }
    run_core([&] { builder_->clear(); });
}

void ListWriter::finish_first_page(BlockNumber last_block) {
    const Buffer buffer = ReadBuffer(index_, first_block_);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    uint8_t* page = buffer_bytes(buffer);
    // New rows go to the last page, where the only free places are.
    if (last_block != first_block_) set_insert_place(page, {last_block, full_pages_});
    memcpy(mutable_summary(geometry_, page), summary_, geometry_.summary_bytes);
    MarkBufferDirty(buffer);
    UnlockReleaseBuffer(buffer);
}

BlockNumber ListWriter::finish() {
    flush(false);
    return first_block_;
}

BlockNumber write_mean(Relation index, const float* mean, uint32 dims) {
    if (mean == nullptr) return kNoBlock;
    const BlockNumber first = RelationGetNumberOfBlocks(index);
    const auto* from = reinterpret_cast<const uint8_t*>(mean);
    size_t left = sizeof(float) * dims;
    while (left > 0) {
        const Buffer buffer = add_built_page(index, PageKind::kVector, 0, kNoBlock);
        const size_t part = Min(left, size_t{kBodyBytes});
        memcpy(page_body(buffer_bytes(buffer)), from, part);
        from += part;
        left -= part;
        if (left > 0) {
            page_trailer(buffer_bytes(buffer))->next = BufferGetBlockNumber(buffer) + 1;
        }
        UnlockReleaseBuffer(buffer);
    }
    return first;
}

void write_meta(Relation index, MetaPage meta) {
    seal(&meta);
    const Buffer buffer = ReadBuffer(index, kMetaBlock);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    make_page(buffer_bytes(buffer), PageKind::kMeta, 0, kNoBlock);
    memcpy(page_body(buffer_bytes(buffer)), &meta, sizeof meta);
    MarkBufferDirty(buffer);
    UnlockReleaseBuffer(buffer);
}

}  // namespace lookalike

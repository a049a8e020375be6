#include "am/storage/page_change.h"

extern "C" {
#include "access/rmgr.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

// Records have had this form since Generic WAL came with 9.6.
static_assert(PG_VERSION_NUM < 190000,
              "see whether generic_redo() still reads what finish() writes");

PageParts whole_page() {
    PageParts parts;
    parts.add(0, BLCKSZ);
    return parts;
}

void copy_parts(const PageParts& parts, const uint8_t* from, uint8_t* to) {
    for (const PagePart& part : parts)
        memcpy(to + part.offset, from + part.offset, part.length);
}

uint8_t* page_of(Buffer buffer) {
    return reinterpret_cast<uint8_t*>(BufferGetPage(buffer));
}

}  // namespace

uint8_t* PageChange::add(const ChangedPage& page) {
    Assert(count_ < kMostPages);
    ChangedPage& added = pages_[count_++] = page;
    added.image = static_cast<uint8_t*>(palloc(BLCKSZ));
    added.delta =
        page.is_new || !is_logged_ ? nullptr : static_cast<uint8_t*>(palloc(kMostDeltaBytes));
    copy_parts(added.parts, page_of(added.buffer), added.image);
    return added.image;
}

uint8_t* PageChange::add(Buffer buffer, bool is_new) {
    return add({buffer, is_new, whole_page(), nullptr, nullptr});
}

uint8_t* PageChange::add(Buffer buffer, const PageParts& parts) {
    return add({buffer, false, parts, nullptr, nullptr});
}

// As GenericXLogFinish() does it. Pages of an index have no hole that would have to be zero.
void PageChange::finish() {
    size_t delta_bytes[kMostPages] = {};
    for (int i = 0; i < count_; ++i) {
        ChangedPage& page = pages_[i];
        if (page.delta != nullptr)
            delta_bytes[i] = write_delta(page_of(page.buffer), page.image, page.parts, page.delta);
    }
    if (is_logged_) XLogBeginInsert();
    START_CRIT_SECTION();
    for (int i = 0; i < count_; ++i) {
        const ChangedPage& page = pages_[i];
        copy_parts(page.parts, page.image, page_of(page.buffer));
        MarkBufferDirty(page.buffer);
        if (!is_logged_) continue;
        const uint8 flags = REGBUF_STANDARD | (page.is_new ? REGBUF_FORCE_IMAGE : 0);
        XLogRegisterBuffer(static_cast<uint8>(i), page.buffer, flags);
        if (page.delta != nullptr)
            XLogRegisterBufData(static_cast<uint8>(i), reinterpret_cast<char*>(page.delta),
                                static_cast<uint32>(delta_bytes[i]));
    }
    if (is_logged_) {
        const XLogRecPtr lsn = XLogInsert(RM_GENERIC_ID, 0);
        for (int i = 0; i < count_; ++i)
            PageSetLSN(BufferGetPage(pages_[i].buffer), lsn);
    }
    END_CRIT_SECTION();
    free_images();
}

void PageChange::abort() {
    free_images();
}

void PageChange::free_images() {
    for (int i = 0; i < count_; ++i) {
        pfree(pages_[i].image);
        if (pages_[i].delta != nullptr) pfree(pages_[i].delta);
    }
    count_ = 0;
}

}  // namespace lookalike

// The pages of a list, one after the other.
#pragma once

extern "C" {
#include "access/xlog.h"
}

#include "am/storage/pages.h"

namespace lookalike {

/// Calls `look_at(page, is_first)` with each page of a list while it is locked; ends where that
/// returns false. REQUIRES: the geometry has its codes inside.
///
/// Each next page is pinned while its predecessor is locked, so that VACUUM, which needs a page for
/// itself alone before it recycles it, cannot take it away in between. Replay does not ask who has
/// pinned a page: on a standby the predecessor stays locked until the next page is.
template <typename LookAt>
void visit_list(Relation index, const ListGeometry& geometry, BlockNumber list_id, LookAt look_at) {
    const bool locks_overlap = RecoveryInProgress();
    Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_SHARE);
    for (uint32 length = 1;; ++length) {
        const uint8_t* page = buffer_bytes(buffer);
        check_list_page(index, buffer, geometry);
        if (page_trailer(page)->list_id != list_id)
            raise_corrupted(index, BufferGetBlockNumber(buffer),
                            "the page belongs to another list");
        const bool goes_on = look_at(page, length == 1);
        const BlockNumber next = goes_on ? page_trailer(page)->next : BlockNumber{kNoBlock};
        const Buffer next_buffer = next == kNoBlock ? InvalidBuffer : pin_page(index, next);
        if (!locks_overlap) UnlockReleaseBuffer(buffer);
        CHECK_FOR_INTERRUPTS();
        if (next_buffer != InvalidBuffer) {
            check_chain(index, list_id, length);
            LockBuffer(next_buffer, BUFFER_LOCK_SHARE);
        }
        if (locks_overlap) UnlockReleaseBuffer(buffer);
        if (next_buffer == InvalidBuffer) return;
        buffer = next_buffer;
    }
}

}  // namespace lookalike

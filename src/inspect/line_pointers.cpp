#include "inspect/line_pointers.h"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "storage/bufmgr.h"
}

#include <cstring>

namespace lookalike {
namespace {

void learn_block(LinePointers* pointers, BlockNumber block) {
    memset(pointers->is_root, 0, sizeof pointers->is_root);
    const Buffer buffer = ReadBuffer(pointers->heap, block);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const Page page = BufferGetPage(buffer);
    const OffsetNumber count = PageIsNew(page) ? 0 : PageGetMaxOffsetNumber(page);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
        const ItemId item = PageGetItemId(page, offset);
        pointers->is_root[offset] =
            ItemIdIsUsed(item) &&
            !(ItemIdIsNormal(item) && HeapTupleHeaderIsHeapOnly(reinterpret_cast<HeapTupleHeader>(
                                          PageGetItem(page, item))));
    }
    UnlockReleaseBuffer(buffer);
    pointers->block = block;
}

}  // namespace

void start_line_pointers(LinePointers* pointers, Relation heap) {
    pointers->heap = heap;
    pointers->is_heap = heap->rd_tableam == GetHeapamTableAmRoutine();
    pointers->block = InvalidBlockNumber;
}

bool may_have_entry(LinePointers* pointers, int64 row) {
    if (!pointers->is_heap) return true;
    const auto block = static_cast<BlockNumber>(row >> 16);
    if (pointers->block != block) learn_block(pointers, block);
    return pointers->is_root[row & 0xffff];
}

}  // namespace lookalike

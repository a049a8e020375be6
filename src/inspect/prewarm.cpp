// faiss_index_prewarm: reads an index into shared buffers.
#include "am/access_method.h"

extern "C" {
#include "storage/bufmgr.h"
}

#include "inspect/rights.h"

using namespace lookalike;

SQL_FUNCTION(faiss_index_prewarm) {
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), AccessShareLock, InspectRight::kMaintain);
    const BlockNumber count = RelationGetNumberOfBlocks(inspected.index);
    for (BlockNumber block = 0; block < count; ++block) {
        CHECK_FOR_INTERRUPTS();
        ReleaseBuffer(ReadBuffer(inspected.index, block));
    }
    close_inspected(inspected);
    PG_RETURN_INT64(int64{count});
}

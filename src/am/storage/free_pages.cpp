#include "am/storage/free_pages.h"

extern "C" {
#include "storage/bufmgr.h"
#include "storage/fsm_internals.h"
#include "storage/indexfsm.h"
#include "storage/smgr.h"
}

namespace lookalike {
namespace {

// A map is a tree of three levels whose pages lie in preorder (storage/freespace/README).
bool map_reaches(Relation index, BlockNumber block) {
    const BlockNumber leaf = block / SlotsPerFSMPage;
    const BlockNumber parent = leaf / SlotsPerFSMPage;
    const BlockNumber needed = (leaf + 1) + (parent + 1) + (parent / SlotsPerFSMPage + 1);
    SMgrRelation file = smgropen(index->rd_locator, index->rd_backend);
    const BlockNumber known = file->smgr_cached_nblocks[FSM_FORKNUM];
    if (known != InvalidBlockNumber && known >= needed) return true;
    return smgrexists(file, FSM_FORKNUM) && smgrnblocks(file, FSM_FORKNUM) >= needed;
}

}  // namespace

void extend_free_space_map(Relation index) {
    const BlockNumber next_block = RelationGetNumberOfBlocks(index);
    if (!map_reaches(index, next_block)) RecordUsedIndexPage(index, next_block);
}

void record_free_page(Relation index, BlockNumber block) {
    if (map_reaches(index, block)) RecordFreeIndexPage(index, block);
}

}  // namespace lookalike

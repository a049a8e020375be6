// A lock of the session, as a measuring goes on over many transactions. PostgreSQL keeps such locks
// beyond an ERROR, and releases them when the session ends, only where they are of the kind of
// advisory locks. Theirs have another type of tag, so nobody's number is this one.
#include "am/upkeep/measuring_turn.h"

extern "C" {
#include "catalog/pg_class.h"
#include "storage/lock.h"
}

namespace lookalike {
namespace {

LOCKTAG tag_of(const MeasuringTurn& turn) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, turn.database, RelationRelationId, turn.index, 0);
    tag.locktag_lockmethodid = USER_LOCKMETHOD;
    return tag;
}

enum class Had { kByOther, kNew, kBefore };

// Counted once, however often it is asked for.
Had acquire(const LOCKTAG& tag) {
    const LockAcquireResult result = LockAcquire(&tag, ExclusiveLock, true, true);
    if (result == LOCKACQUIRE_NOT_AVAIL) return Had::kByOther;
    if (result == LOCKACQUIRE_OK) return Had::kNew;
    LockRelease(&tag, ExclusiveLock, true);
    return Had::kBefore;
}

}  // namespace

bool take_turn(MeasuringTurn* turn, Relation index) {
    if (RELATION_IS_LOCAL(index)) return true;
    const MeasuringTurn wanted{index->rd_lockInfo.lockRelId.dbId, RelationGetRelid(index)};
    if (acquire(tag_of(wanted)) == Had::kByOther) return false;
    *turn = wanted;
    return true;
}

// Who releases a lock that he does not have gets a warning.
void give_back(MeasuringTurn* turn) {
    if (turn->index == InvalidOid) return;
    const LOCKTAG tag = tag_of(*turn);
    if (acquire(tag) != Had::kByOther) LockRelease(&tag, ExclusiveLock, true);
    turn->index = InvalidOid;
}

}  // namespace lookalike

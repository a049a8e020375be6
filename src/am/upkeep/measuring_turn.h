// Whose turn it is to measure an index while rows come: one backend's at a time, from its first
// stretch to its last, over all transactions in between. Nobody waits for it.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

/// Names the turn of one index, and outlives its relation's cache entry.
struct MeasuringTurn {
    Oid database;
    Oid index;  ///< InvalidOid: not taken
};

/// False: another backend has it. A temporary index has nobody else.
bool take_turn(MeasuringTurn* turn, Relation index);

/// Gives it back, if it is still had: pg_advisory_unlock_all() and DISCARD ALL have done so before.
void give_back(MeasuringTurn* turn);

}  // namespace lookalike

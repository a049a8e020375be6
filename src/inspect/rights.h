// What the inspection functions share: who may call them, and on what.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/lockdefs.h"
#include "utils/rel.h"
}

namespace lookalike {

enum class InspectRight {
    kMaintain,    ///< owner; from PostgreSQL 17 on also who holds MAINTAIN on the table
    kStatistics,  ///< those, and members of pg_stat_scan_tables
    kQuery,       ///< who may read something of the table; the query that follows checks the rest
};

/// Both locked until the end of the transaction.
struct InspectedIndex {
    Relation heap;
    Relation index;
};

/// Raises unless the user has the right, the relation is a valid faiss index, and this session can
/// read its pages. The right comes first: nobody is to lock a table that he could not.
InspectedIndex open_inspected(Oid index_id, LOCKMODE mode, InspectRight right);

/// Who called, and with which settings.
struct Caller {
    Oid user;
    int security_context;
    int nest_level;  ///< of the settings: what is set with GUC_ACTION_SAVE goes with it
};

/// The index's expressions and predicate are code of the table's owner: from here on they run as he
/// would.
Caller act_as_owner(Relation heap);
void act_as_caller(const Caller& caller);

/// Closes the relations and keeps their locks.
void close_inspected(const InspectedIndex& inspected);

}  // namespace lookalike

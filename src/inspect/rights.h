// What the inspection functions share: who may call them, and on what.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/lockdefs.h"
#include "utils/rel.h"
}

namespace lookalike {

enum class InspectRight {
    kMaintain,      ///< owner; from PostgreSQL 17 on also who holds MAINTAIN on the table
    kStatistics,    ///< those, and members of pg_stat_scan_tables
    kQuery,         ///< who may read something of the table
    kReadColumn,    ///< who may read what the index's first column is made of
    kOfPartitions,  ///< who has the right of check_reads_partitions() on the index above this one
};

/// Which indexes a function is of.
enum class IndexMethod {
    kFaiss,
    kAny,  ///< of any access method
};

/// Who called, and with which settings.
struct Caller {
    Oid user;
    int security_context;
    int nest_level;  ///< of the settings: what is set with GUC_ACTION_SAVE goes with it
};

/// Both relations are locked until the end of the transaction.
struct InspectedIndex {
    Relation heap;
    Relation index;
    Caller caller;
};

/// Raises unless the user has the right, the relation is a valid index of the method, and this
/// session can read its pages. The right comes first: nobody is to lock a table that he could not.
///
/// The index's expressions and predicate are code of the table's owner, and their functions look up
/// names. So what follows, up to close_inspected(), runs as the owner would run it, restricted and
/// with no schema but pg_catalog on the search path: nobody lends his rights to whom he measures,
/// and nobody puts objects of his own in the owner's way.
InspectedIndex open_inspected(Oid index_id, LOCKMODE mode, InspectRight right,
                              IndexMethod method = IndexMethod::kFaiss);

bool is_faiss(Relation index);

/// Raises unless this is a partitioned faiss index, and the user may read what its first column is
/// made of: who reads a partitioned table needs no right on its partitions.
void check_reads_partitions(Oid index_id);

/// True when reading the index's first column or choosing its rows takes code of the owner.
bool has_owners_code(Relation index);

/// Raises unless the caller could read every row of the table himself. What tells him more than
/// numbers about rows needs this before it reads as the owner.
void check_reads_every_row(const InspectedIndex& inspected);

/// Sets a setting until close_inspected(), or an error, takes it back.
void set_for_now(const char* name, const char* value);

/// Closes the relations, keeps their locks, and acts as the caller again.
void close_inspected(const InspectedIndex& inspected);

}  // namespace lookalike

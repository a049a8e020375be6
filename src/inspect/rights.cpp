#include "inspect/rights.h"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_index.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

#include "am/access_method.h"

namespace lookalike {
namespace {

bool may_maintain(Oid index_id) {
    if (object_ownercheck(RelationRelationId, index_id, GetUserId())) return true;
    const Oid table_id = IndexGetRelation(index_id, true);
    return OidIsValid(table_id) && may_maintain_table(table_id);
}

bool may_query(Oid index_id) {
    const Oid table_id = IndexGetRelation(index_id, true);
    return OidIsValid(table_id) &&
           (pg_class_aclcheck(table_id, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
            pg_attribute_aclcheck_all(table_id, GetUserId(), ACL_SELECT, ACLMASK_ANY) ==
                ACLCHECK_OK);
}

// The columns of the table that the index's first one takes, as pull_varattnos() counts them.
Bitmapset* first_columns(Oid index_id) {
    Bitmapset* columns = nullptr;
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index_id));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for index %u", index_id);
    const AttrNumber column = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple))->indkey.values[0];
    if (column != 0) {
        columns = bms_make_singleton(column - FirstLowInvalidHeapAttributeNumber);
    } else {
        bool is_null;
        const Datum stored = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indexprs, &is_null);
        auto* expressions = static_cast<List*>(stringToNode(TextDatumGetCString(stored)));
        pull_varattnos(static_cast<Node*>(linitial(expressions)), 1, &columns);
    }
    ReleaseSysCache(tuple);
    return columns;
}

void check_reads_column(Oid index_id) {
    const Oid table_id = IndexGetRelation(index_id, false);
    if (pg_class_aclcheck(table_id, GetUserId(), ACL_SELECT) == ACLCHECK_OK) return;
    const Bitmapset* columns = first_columns(index_id);
    bool may_read = columns != nullptr;
    for (int i = -1; (i = bms_next_member(columns, i)) >= 0;) {
        const auto column = static_cast<AttrNumber>(i + FirstLowInvalidHeapAttributeNumber);
        may_read = may_read && column != InvalidAttrNumber &&
                   pg_attribute_aclcheck(table_id, column, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
    }
    if (!may_read) aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table_id));
}

void check_right(Oid index_id, InspectRight right) {
    if (right == InspectRight::kOfPartitions) return;
    if (right == InspectRight::kReadColumn) return check_reads_column(index_id);
    if (right == InspectRight::kQuery) {
        if (may_query(index_id)) return;
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
                       get_rel_name(IndexGetRelation(index_id, false)));
    }
    if (may_maintain(index_id)) return;
    if (right == InspectRight::kStatistics &&
        has_privs_of_role(GetUserId(), ROLE_PG_STAT_SCAN_TABLES)) {
        return;
    }
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index_id));
}

[[noreturn]] void raise_not_faiss(Oid relation_id) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a faiss index", get_rel_name(relation_id))));
    pg_unreachable();
}

void check_kind(Oid relation_id) {
    const char relation_kind = get_rel_relkind(relation_id);
    if (relation_kind == '\0') {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation with OID %u does not exist", relation_id)));
    }
    if (relation_kind == RELKIND_PARTITIONED_INDEX) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("index \"%s\" is partitioned", get_rel_name(relation_id)),
                        errdetail("A partitioned index has no pages of its own."),
                        errhint("Name the index of a partition.")));
    }
    if (relation_kind != RELKIND_INDEX) raise_not_faiss(relation_id);
}

void check_readable(Relation index, IndexMethod method) {
    if (method == IndexMethod::kFaiss && !is_faiss(index)) raise_not_faiss(RelationGetRelid(index));
    if (RELATION_IS_OTHER_TEMP(index)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot access temporary indexes of other sessions")));
    }
    if (index->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED && RecoveryInProgress()) {
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                        errmsg("cannot access unlogged index \"%s\" during recovery",
                               RelationGetRelationName(index))));
    }
    if (!index->rd_index->indisvalid) {
        ereport(
            ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
             errhint("REINDEX it, or drop it when a CREATE INDEX CONCURRENTLY left it behind.")));
    }
}

Caller act_as_owner(Relation heap) {
    Caller caller;
    GetUserIdAndSecContext(&caller.user, &caller.security_context);
    SetUserIdAndSecContext(heap->rd_rel->relowner,
                           caller.security_context | SECURITY_RESTRICTED_OPERATION);
    caller.nest_level = NewGUCNestLevel();
    RestrictSearchPath();
    // Expressions and predicates are written as text and read again: to the last digit, and alike.
    set_for_now("extra_float_digits", "3");
    set_for_now("standard_conforming_strings", "on");
    return caller;
}

void act_as_caller(const Caller& caller) {
    AtEOXact_GUC(false, caller.nest_level);
    SetUserIdAndSecContext(caller.user, caller.security_context);
}

}  // namespace

void set_for_now(const char* name, const char* value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

bool is_faiss(Relation index) {
    return index->rd_indam->ambuild == build_index;
}

InspectedIndex open_inspected(Oid index_id, LOCKMODE mode, InspectRight right, IndexMethod method) {
    check_kind(index_id);
    check_right(index_id, right);
    // The table first, as everybody else does.
    const Oid table_id = IndexGetRelation(index_id, false);
    InspectedIndex inspected;
    inspected.heap = table_open(table_id, mode);
    inspected.index = index_open(index_id, mode);
    if (IndexGetRelation(index_id, false) != table_id) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("could not open the table of index \"%s\"",
                               RelationGetRelationName(inspected.index))));
    }
    check_readable(inspected.index, method);
    inspected.caller = act_as_owner(inspected.heap);
    return inspected;
}

void check_reads_partitions(Oid index_id) {
    check_reads_column(index_id);
    Relation index = relation_open(index_id, AccessShareLock);
    if (!is_faiss(index)) raise_not_faiss(index_id);
    relation_close(index, NoLock);
}

bool has_owners_code(Relation index) {
    return RelationGetIndexExpressions(index) != NIL || RelationGetIndexPredicate(index) != NIL;
}

void check_reads_every_row(const InspectedIndex& inspected) {
    const Oid table = RelationGetRelid(inspected.heap);
    const char* name = RelationGetRelationName(inspected.heap);
    const AclResult right = pg_class_aclcheck(table, inspected.caller.user, ACL_SELECT);
    if (right != ACLCHECK_OK) aclcheck_error(right, OBJECT_TABLE, name);
    // The owner's own rows may be hidden too, by FORCE ROW LEVEL SECURITY, and it is he who reads.
    if (check_enable_rls(table, inspected.caller.user, true) == RLS_ENABLED ||
        check_enable_rls(table, inspected.heap->rd_rel->relowner, true) == RLS_ENABLED) {
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("row-level security of table \"%s\" hides rows from this role or the owner",
                        name),
                 errhint("Ask the table itself, with within().")));
    }
}

void close_inspected(const InspectedIndex& inspected) {
    act_as_caller(inspected.caller);
    index_close(inspected.index, NoLock);
    table_close(inspected.heap, NoLock);
}

}  // namespace lookalike

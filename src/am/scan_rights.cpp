#include "am/scan_rights.h"

extern "C" {
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "utils/rls.h"
}

namespace lookalike {
namespace {

bool may_read_all(Oid table, Oid user) {
    bool is_missing = false;
    if (check_enable_rls(table, user, true) == RLS_ENABLED) return false;
    return pg_class_aclcheck_ext(table, user, ACL_SELECT, &is_missing) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(table, user, ACL_SELECT, ACLMASK_ALL) == ACLCHECK_OK;
}

bool may_read_all_of_parent(Oid table, Oid user) {
    if (!get_rel_relispartition(table)) return false;
    ListCell* cell;
    foreach (cell, get_partition_ancestors(table)) {
        if (may_read_all(lfirst_oid(cell), user)) return true;
    }
    return false;
}

}  // namespace

bool may_see_all_counts(Oid user) {
    return has_privs_of_role(user, ROLE_PG_STAT_SCAN_TABLES);
}

bool may_see_counts(Oid index, Oid user) {
    if (may_see_all_counts(user)) return true;
    const Oid table = IndexGetRelation(index, true);
    return OidIsValid(table) && (object_ownercheck(RelationRelationId, table, user) ||
                                 may_read_all(table, user) || may_read_all_of_parent(table, user));
}

bool may_see_scan(Oid index, Oid scanner, Oid user) {
    return may_see_all_counts(user) ||
           (has_privs_of_role(user, scanner) && may_see_counts(index, user));
}

}  // namespace lookalike

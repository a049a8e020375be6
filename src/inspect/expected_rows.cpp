// faiss_expected_rows(): how unusual a distance is in a table, as the number of rows that a typical
// row of it has within that distance.
//
// A statement asks for every row that it shows. What answers is gathered at the first call: the
// rights, what the index or, of a partitioned one, each index of a partition has measured, and how
// many rows there are by now.
#include "inspect/rights.h"

extern "C" {
#include "access/genam.h"
#include "access/sysattr.h"
#include "catalog/index.h"
#include "catalog/pg_inherits.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/rls.h"
}

#include <algorithm>

#include "am/access_method.h"
#include "am/storage/loaded_index.h"
#include "core/measure/neighbour_distances.h"
#include "inspect/distance_sample.h"
#include "inspect/null_fraction.h"

using namespace lookalike;

namespace {

// Of fewer, whom row-level security keeps from rows could tell their distances from the answers.
constexpr uint64 kRowsThatHideEach = 100;

struct Part {
    double rows;
    DistanceCurve curve;
};

// What a statement keeps between calls; PL/pgSQL keeps it as long as a transaction.
struct Parts {
    Oid index;
    Oid user;  // who has the right
    int count;
    Part parts[FLEXIBLE_ARRAY_MEMBER];
};

// Of the index's own values where it has an expression.
double null_fraction_of(const InspectedIndex& inspected) {
    const AttrNumber column = inspected.index->rd_index->indkey.values[0];
    return column == 0 ? null_fraction(inspected.index, 1) : null_fraction(inspected.heap, column);
}

// Rows of the table that have a descriptor in the index, as the planner would guess now; `measured`
// when it has no grounds to.
double rows_now(const InspectedIndex& inspected, double measured) {
    const double table_rows = inspected.heap->rd_rel->reltuples;
    const double index_rows = inspected.index->rd_rel->reltuples;
    if (table_rows <= 0 || index_rows <= 0) return measured;
    BlockNumber pages;
    double rows;
    double all_visible;
    estimate_rel_size(inspected.heap, nullptr, &pages, &rows, &all_visible);
    return rows * std::min(1.0, index_rows / table_rows) * (1 - null_fraction_of(inspected));
}

bool may_write(Oid table, Oid user) {
    constexpr AclMode kWrites = ACL_INSERT | ACL_UPDATE;
    return pg_class_aclmask(table, user, kWrites, ACLMASK_ANY) != 0 ||
           pg_attribute_aclcheck_all(table, user, ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(table, user, ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
}

// `asked`: the index of the call, whose table's policies are those of a query: of a partition none
// are, where the partitioned table is read. `is_fresh`: measured now, with the rows that the caller
// may have put beside a hidden one.
void check_hides_each_row(const InspectedIndex& inspected, Oid asked, uint64 rows, bool is_fresh) {
    const Oid table = IndexGetRelation(asked, false);
    if (rows >= kRowsThatHideEach && !(is_fresh && may_write(table, inspected.caller.user))) return;
    const bool is_part = asked != RelationGetRelid(inspected.index);
    if (is_part && rows == 0) return;
    if (check_enable_rls(table, inspected.caller.user, true) != RLS_ENABLED) return;
    if (rows >= kRowsThatHideEach) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("index \"%s\" has not measured how far apart rows are",
                               RelationGetRelationName(inspected.index)),
                        errdetail("Row-level security hides rows from this role, which may add "
                                  "rows of its own.")));
    }
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("table \"%s\" has too few rows to tell how far apart they are",
                           RelationGetRelationName(inspected.heap)),
                    errdetail("Row-level security hides some of them from this role.")));
}

Part part_of(const InspectedIndex& inspected, Oid asked, uint32 part_count) {
    const MetaPage meta = load_index(inspected.index)->meta;
    const Calibration calibration = calibration_of(meta);
    const DistanceCurve curve(calibration, meta.metric);
    if (curve.is_measured()) {
        check_hides_each_row(inspected, asked, calibration.row_count, false);
        return {rows_now(inspected, static_cast<double>(calibration.row_count)), curve};
    }
    if (content_of(inspected.index) == Content::kLocalFeatures)
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("index \"%s\" is one of local features",
                        RelationGetRelationName(inspected.index)),
                 errdetail("Their distances tell by themselves how alike two pictures are.")));
    const SampledDistances sampled = sampled_distances(inspected, part_count);
    check_hides_each_row(inspected, asked, sampled.calibration.row_count, true);
    return {sampled.rows, DistanceCurve(sampled.calibration, meta.metric)};
}

Part inspect_part(Oid index_id, Oid asked, InspectRight right, uint32 part_count) {
    const InspectedIndex inspected = open_inspected(index_id, AccessShareLock, right);
    const Part part = part_of(inspected, asked, part_count);
    close_inspected(inspected);
    return part;
}

Parts* make_parts(Oid index_id, int count, MemoryContext context) {
    auto* parts = static_cast<Parts*>(MemoryContextAllocZero(
        context, offsetof(Parts, parts) + sizeof(Part) * static_cast<Size>(count)));
    parts->index = index_id;
    parts->user = GetUserId();
    return parts;
}

// Each row of the table is taken to be like a typical one of every partition.
Parts* gather_partitions(Oid index_id, MemoryContext context) {
    check_reads_partitions(index_id);
    List* members = find_all_inheritors(index_id, AccessShareLock, nullptr);
    Parts* parts = make_parts(index_id, list_length(members), context);
    const ListCell* cell;
    foreach (cell, members) {
        const Oid member = lfirst_oid(cell);
        if (get_rel_relkind(member) == RELKIND_PARTITIONED_INDEX) continue;
        parts->parts[parts->count++] = inspect_part(member, index_id, InspectRight::kOfPartitions,
                                                    static_cast<uint32>(list_length(members)));
    }
    return parts;
}

Parts* gather(Oid index_id, MemoryContext context) {
    if (get_rel_relkind(index_id) == RELKIND_PARTITIONED_INDEX) {
        return gather_partitions(index_id, context);
    }
    Parts* parts = make_parts(index_id, 1, context);
    parts->parts[parts->count++] = inspect_part(index_id, index_id, InspectRight::kReadColumn, 1);
    return parts;
}

}  // namespace

SQL_FUNCTION(faiss_expected_rows) {
    const Oid index_id = PG_GETARG_OID(0);
    auto* parts = static_cast<Parts*>(fcinfo->flinfo->fn_extra);
    if (parts == nullptr || parts->index != index_id || parts->user != GetUserId()) {
        fcinfo->flinfo->fn_extra = nullptr;
        if (parts != nullptr) pfree(parts);
        parts = gather(index_id, fcinfo->flinfo->fn_mcxt);
        fcinfo->flinfo->fn_extra = parts;
    }
    double rows = 0;
    for (int i = 0; i < parts->count; ++i)
        rows += parts->parts[i].rows * parts->parts[i].curve.expected_share(PG_GETARG_FLOAT8(1));
    PG_RETURN_FLOAT8(rows);
}

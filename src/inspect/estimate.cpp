// faiss_index_estimate: what an index of columns would take to build, with the settings of now.
//
// Seconds follow from what a build does: it reads the table twice, rotates and encodes every row,
// compares the sample with the centroids for k-means and every row with them once, and writes the
// pages. The rates below are of one core of a current server; the result is good for
// deciding between coffee and a night, not for more. docs/INSPECTION.md compares it with builds.
#include "am/access_method.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "commands/defrem.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "optimizer/plancat.h"
#include "utils/acl.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

#include "am/build/plan.h"
#include "am/filter/attribute_key.h"
#include "am/storage/pages.h"
#include "core/code/index_space.h"
#include "core/local/local_code.h"
#include "core/protocol/worker.h"
#include "inspect/null_fraction.h"
#include "pg/local/value.h"
#include "pg/type/column_value.h"
#include "pg/worker/threads.h"

using namespace lookalike;

namespace {

constexpr double kReadBytesPerSecond = 600e6;
constexpr double kEncodedElementsPerSecond = 40e6;
constexpr double kMultiplicationsPerSecond = 10e9;  // one core
constexpr double kBitsAtOnce = 32;
constexpr double kWrittenBytesPerSecond = 300e6;
constexpr double kWorkerStartSeconds = 0.1;

// A sorted entry has a header, and PostgreSQL allocates in powers of two: a third more on average.
constexpr double kSortHeaderBytes = 48;
constexpr double kSortOverhead = 1.35;

// What is known of the column before a build.
struct ColumnFacts {
    double rows;  // with a value
    double null_rows;
    double vectors;  // of these rows: local features have many
    Content content;
    double table_bytes;
    bool knows_shape;
    Kind kind;
    uint32 dims;
    AttributeWidths filters;
};

struct Estimate {
    uint64 lists;
    double bytes;
    double memory_bytes;
    double seconds;
};

Relation open_table(Oid table_id) {
    const char relation_kind = get_rel_relkind(table_id);
    if (relation_kind == '\0') {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation with OID %u does not exist", table_id)));
    }
    if (relation_kind == RELKIND_PARTITIONED_TABLE) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("table \"%s\" is partitioned", get_rel_name(table_id)),
                        errhint("Name a partition: each has an index of its own.")));
    }
    if (relation_kind != RELKIND_RELATION && relation_kind != RELKIND_MATVIEW) {
        ereport(ERROR,
                (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                 errmsg("\"%s\" is not a table or materialized view", get_rel_name(table_id))));
    }
    return table_open(table_id, AccessShareLock);
}

// The column's number, once the user may read it.
AttrNumber find_column(Relation table, const char* name) {
    const Oid table_id = RelationGetRelid(table);
    const AttrNumber column = get_attnum(table_id, name);
    if (column <= 0) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                               RelationGetRelationName(table))));
    }
    if (pg_class_aclcheck(table_id, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
        pg_attribute_aclcheck(table_id, column, GetUserId(), ACL_SELECT) != ACLCHECK_OK) {
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(table));
    }
    if (RELATION_IS_OTHER_TEMP(table)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot access temporary tables of other sessions")));
    }
    return column;
}

// Types of filter attributes have an operator class as well, but no metric.
ClassFacts class_of_column(Relation table, AttrNumber column) {
    const Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), column - 1);
    const Oid type = getBaseType(attribute->atttypid);
    const Oid operator_class = GetDefaultOpClass(type, get_index_am_oid("faiss", false));
    const Oid procedure =
        OidIsValid(operator_class)
            ? get_opfamily_proc(get_opclass_family(operator_class), type, type, kMetricProcedure)
            : InvalidOid;
    ClassFacts facts;
    if (!OidIsValid(procedure) ||
        !read_class_number(DatumGetInt32(OidFunctionCall0(procedure)), &facts)) {
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"%s\" is not of type descriptor", NameStr(attribute->attname))));
    }
    return facts;
}

// Bytes of the keys of a column, as in an index whose second or later column it is.
uint8 filter_width(Relation table, AttrNumber column) {
    const Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), column - 1);
    const Oid type = getBaseType(attribute->atttypid);
    if (key_kind(type) == KeyKind::kNone) {
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"%s\" cannot be a filter attribute", NameStr(attribute->attname)),
                 errdetail("It is of type %s.", format_type_be(attribute->atttypid))));
    }
    return key_width(type, attribute->attcollation);
}

AttributeWidths filter_widths(Relation table, ArrayType* names) {
    Datum* columns;
    bool* is_null;
    int count;
    deconstruct_array(names, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &columns, &is_null,
                      &count);
    if (count > static_cast<int>(kMaxAttributes)) {
        ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
                        errmsg("a faiss index cannot have more than %u filter attributes",
                               kMaxAttributes)));
    }
    AttributeWidths widths;
    for (int i = 0; i < count; ++i) {
        if (is_null[i]) {
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("a filter column must not be NULL")));
        }
        const AttrNumber column = find_column(table, NameStr(*DatumGetName(columns[i])));
        widths.width[widths.count++] = filter_width(table, column);
    }
    return widths;
}

// Calls `take` with values of the column until it returns false.
template <typename Take>
void read_values(Relation table, AttrNumber column, Take take) {
    TupleTableSlot* slot = table_slot_create(table, nullptr);
    const Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
    bool goes_on = true;
    while (goes_on && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        const Datum value = slot_getattr(slot, column, &is_null);
        if (!is_null) goes_on = take(value);
    }
    table_endscan(scan);
    UnregisterSnapshot(snapshot);
    ExecDropSingleTupleTableSlot(slot);
}

// The first value, where the column's type does not tell.
void read_shape(Relation table, AttrNumber column, ValueType type, ColumnFacts* facts) {
    read_values(table, column, [&](Datum value) {
        const DescriptorView view = read_column_value(type, value).vector;
        facts->knows_shape = true;
        facts->kind = view.kind;
        facts->dims = view.dims;
        return false;
    });
}

// As many features as the first rows have; of rows that the user may not see nothing is told.
void read_feature_counts(Relation table, AttrNumber column, ColumnFacts* facts) {
    constexpr int kMostRead = 100;
    constexpr double kUsualFeatures = 150;
    facts->knows_shape = true;
    facts->kind = Kind::kBit;
    facts->dims = kLocalCodeBits;
    facts->vectors = facts->rows * kUsualFeatures;
    if (check_enable_rls(RelationGetRelid(table), InvalidOid, true) == RLS_ENABLED) return;
    double features = 0;
    double bytes = 0;
    int count = 0;
    read_values(table, column, [&](Datum value) {
        LocalValue* local = checked_local_value(value);
        features += local->view().count();
        bytes += VARSIZE(local);
        if (reinterpret_cast<Pointer>(local) != DatumGetPointer(value)) pfree(local);
        return ++count < kMostRead;
    });
    if (count == 0) return;
    facts->vectors = facts->rows * features / count;
    facts->table_bytes = std::max(facts->table_bytes, facts->rows * bytes / count);
}

ColumnFacts column_facts(Relation table, AttrNumber column) {
    ColumnFacts facts{};
    BlockNumber pages;
    double rows;
    double all_visible;
    estimate_rel_size(table, nullptr, &pages, &rows, &all_visible);
    facts.null_rows = rows * null_fraction(table, column);
    facts.rows = rows - facts.null_rows;
    const ClassFacts class_facts = class_of_column(table, column);
    facts.content = class_facts.content;
    facts.table_bytes = double{BLCKSZ} * pages;
    if (facts.content == Content::kLocalFeatures) {
        read_feature_counts(table, column, &facts);
        return facts;
    }
    facts.vectors = facts.rows;
    const Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), column - 1);
    int32 typmod = attribute->atttypmod;
    getBaseTypeAndTypmod(attribute->atttypid, &typmod);
    const TypeModifier modifier = column_typmod(class_facts.value_type, typmod);
    facts.knows_shape = !modifier.any_dims;
    facts.kind = modifier.kind;
    facts.dims = modifier.dims;
    if (!facts.knows_shape) read_shape(table, column, class_facts.value_type, &facts);
    // Values outside the table's own pages are read from there.
    const double value_bytes =
        facts.knows_shape ? static_cast<double>(element_bytes(facts.kind, facts.dims)) : 0;
    facts.table_bytes = std::max(facts.table_bytes, facts.rows * value_bytes);
    return facts;
}

// Lists differ in length, from three quarters of the mean on for most, which evens out how full
// their last pages are.
double pages_of_lists(const ListGeometry& geometry, double rows, uint64 lists) {
    constexpr int kSteps = 16;
    const double mean = rows / static_cast<double>(lists);
    if (lists == 1) return static_cast<double>(geometry.pages_for(static_cast<uint64>(rows)));
    double sum = 0;
    for (int step = 0; step < kSteps; ++step)
        sum += static_cast<double>(
            geometry.pages_for(static_cast<uint64>(mean * (0.75 + 0.4 * (step + 0.5) / kSteps))));
    return sum / kSteps * static_cast<double>(lists);
}

// Backend, worker and the area that they share; the worker's libraries not counted. Learning and
// assigning follow each other.
double peak_memory(const ColumnFacts& facts, uint32 code_dims, uint64 lists, double sample_rows,
                   double entry_bytes) {
    const double centroid_bytes = sizeof(float) * static_cast<double>(lists) * code_dims;
    const uint32 learn_dims = std::min(code_dims, kMaxLearnDims);
    const double sample_bytes = sizeof(float) * sample_rows * facts.dims;
    const double sort_bytes =
        std::min(static_cast<double>(build_budget().sort_bytes(lists, code_dims)),
                 facts.vectors * (entry_bytes + kSortHeaderBytes) * kSortOverhead);
    const double assigning =
        static_cast<double>(build_budget().assign_bytes(lists, code_dims)) + sort_bytes;
    if (lists == 1) return std::max(sample_bytes, assigning);
    const double shared_bytes = sizeof(float) * sample_rows * learn_dims + centroid_bytes;
    const auto training_bytes = static_cast<double>(
        worker_training_bytes(static_cast<uint64>(sample_rows), learn_dims, lists));
    return std::max(sample_bytes + shared_bytes + training_bytes, assigning);
}

Estimate estimate_index(const ColumnFacts& facts) {
    const bool binary = facts.kind == Kind::kBit;
    const Metric metric = binary ? Metric::kHamming : Metric::kL2;
    const uint32 dims = std::max(facts.dims, 1u);
    const uint32 code_dims = binary ? dims : IndexSpace::padded_dims(dims);
    const ListGeometry leaf =
        facts.knows_shape ? list_geometry(metric, code_dims, Refine::kInt8, 0, facts.filters)
                          : plain_list_geometry();
    Estimate estimate{};
    const bool is_local = facts.content == Content::kLocalFeatures;
    estimate.lists = build_budget().list_count(static_cast<uint64>(facts.vectors), code_dims);
    const double sample_rows =
        std::min(facts.vectors,
                 static_cast<double>(build_budget().sample_rows(dims, estimate.lists, is_local)));
    const double plain_rows = facts.null_rows + (is_local ? facts.rows : 0);
    double pages =
        1 + pages_of_lists(leaf, facts.vectors, estimate.lists) +
        static_cast<double>(plain_list_geometry().pages_for(static_cast<uint64>(plain_rows))) + 1 +
        std::ceil(binary ? 0.0 : sizeof(float) * dims / double{kBodyBytes});
    if (estimate.lists > 1) {
        const ListGeometry root = list_geometry(metric, code_dims, Refine::kFloat, 1);
        pages += static_cast<double>(root.pages_for(estimate.lists));
    }
    estimate.bytes = pages * BLCKSZ;
    // The sort has keys of 8 bytes, whatever the index keeps of them.
    const uint32 entry_bytes =
        leaf.row_code_bytes + leaf.slot_bytes + facts.filters.count * uint32{sizeof(uint64)};
    estimate.memory_bytes = peak_memory(facts, code_dims, estimate.lists, sample_rows, entry_bytes);
    // Bits are encoded and assigned many at a time; lists are learned from them as from other
    // numbers.
    const double words = binary ? std::ceil(code_dims / kBitsAtOnce) : code_dims;
    estimate.seconds = 2 * facts.table_bytes / kReadBytesPerSecond +
                       facts.vectors * words / kEncodedElementsPerSecond +
                       estimate.bytes / kWrittenBytesPerSecond;
    if (estimate.lists > 1) {
        // k-means compares rows with all lists twice; its other rounds take about as long again.
        const double learn_dims = std::min(code_dims, kMaxLearnDims);
        const double products =
            sample_rows * 4 * learn_dims + facts.vectors * (binary ? words : learn_dims);
        estimate.seconds +=
            kWorkerStartSeconds + products * static_cast<double>(estimate.lists) /
                                      (kMultiplicationsPerSecond * learning_thread_count());
    }
    return estimate;
}

}  // namespace

SQL_FUNCTION(faiss_index_estimate) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
        elog(ERROR, "return type must be a row type");
    }
    Relation table = open_table(PG_GETARG_OID(0));
    const AttrNumber column = find_column(table, NameStr(*PG_GETARG_NAME(1)));
    ColumnFacts facts = column_facts(table, column);
    if (PG_NARGS() > 2) facts.filters = filter_widths(table, PG_GETARG_ARRAYTYPE_P(2));
    const Estimate estimate = estimate_index(facts);
    table_close(table, NoLock);
    Datum values[] = {Int64GetDatum(static_cast<int64>(facts.rows + facts.null_rows)),
                      Int32GetDatum(static_cast<int32>(estimate.lists)),
                      Int64GetDatum(static_cast<int64>(estimate.bytes)),
                      Int64GetDatum(static_cast<int64>(estimate.memory_bytes)),
                      Float8GetDatum(estimate.seconds)};
    bool is_null[lengthof(values)] = {};
    PG_RETURN_DATUM(
        HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, is_null)));
}

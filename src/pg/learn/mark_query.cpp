#include "pg/learn/mark_query.h"

#include <cstring>

#include "core/cluster/row_form.h"

extern "C" {
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

Datum descriptor_out(PG_FUNCTION_ARGS);
}

namespace lookalike {
namespace {

constexpr long kRowsAtOnce = 64;

/// How columns are read.
struct Columns {
    ProjectionAim aim;
    FmgrInfo label_output;
};

/// Not by its name, which others may give to a type of theirs.
bool is_descriptor(Oid type) {
    bool is_varlena;
    Oid output;
    const Oid base = getBaseType(type);
    if (get_typtype(base) != TYPTYPE_BASE) return false;
    getTypeOutputInfo(base, &output, &is_varlena);
    FmgrInfo function;
    fmgr_info(output, &function);
    return function.fn_addr == descriptor_out;
}

Oid type_of(TupleDesc row_type, int column) {
    return TupleDescAttr(row_type, column)->atttypid;
}

Columns columns_of(TupleDesc row_type) {
    const int count = row_type->natts;
    bool is_right = count >= 1 && count <= 3 && is_descriptor(type_of(row_type, 0));
    if (is_right && count == 3)
        is_right =
            is_descriptor(type_of(row_type, 1)) && getBaseType(type_of(row_type, 2)) == BOOLOID;
    if (is_right && count == 2) is_right = !is_descriptor(type_of(row_type, 1));
    if (!is_right)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("the query gives columns that no projection is learned from"),
                        errhint("It gives a descriptor; or a descriptor and a label; or two "
                                "descriptors and whether they are alike, a boolean.")));
    Columns columns = {};
    constexpr ProjectionAim kAims[] = {ProjectionAim::kComponents, ProjectionAim::kLabels,
                                       ProjectionAim::kPairs};
    columns.aim = kAims[count - 1];
    if (count == 2) {
        bool is_varlena;
        Oid output;
        getTypeOutputInfo(type_of(row_type, 1), &output, &is_varlena);
        fmgr_info(output, &columns.label_output);
    }
    return columns;
}

/// Labels are compared as texts; these as their hashes.
uint64 label_of(Columns* columns, Datum value) {
    const char* label = OutputFunctionCall(&columns->label_output, value);
    return row_hash(label, strlen(label));
}

/// False: a NULL, so it is no mark.
bool add_row(HeapTuple tuple, TupleDesc row_type, Columns* columns, MarkSample* sample,
             MemoryContext owner) {
    Datum values[3] = {};
    for (int i = 0; i < row_type->natts; ++i) {
        bool is_null;
        values[i] = heap_getattr(tuple, i + 1, row_type, &is_null);
        if (is_null) return false;
    }
    const DescriptorView first = checked_descriptor(values[0])->view();
    DescriptorView second{};
    uint64 mark = 0;
    if (columns->aim == ProjectionAim::kLabels) mark = label_of(columns, values[1]);
    if (columns->aim == ProjectionAim::kPairs) {
        second = checked_descriptor(values[1])->view();
        mark = DatumGetBool(values[2]) ? 1 : 0;
    }
    const MemoryContext each = MemoryContextSwitchTo(owner);
    add_mark(sample, first, columns->aim == ProjectionAim::kPairs ? &second : nullptr, mark);
    MemoryContextSwitchTo(each);
    return true;
}

/// What it calls may try to write all the same, and fails then.
bool only_reads(SPIPlanPtr plan) {
    List* sources = SPI_plan_get_plan_sources(plan);
    if (!SPI_is_cursor_plan(plan) || list_length(sources) != 1) return false;
    ListCell* cell;
    foreach (cell, static_cast<CachedPlanSource*>(linitial(sources))->query_list) {
        const auto* query = static_cast<Query*>(lfirst(cell));
        if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->rowMarks != NIL)
            return false;
    }
    return true;
}

Portal open_query(const char* query) {
    SPIPlanPtr plan = SPI_prepare(query, 0, nullptr);
    if (plan == nullptr)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
                        errmsg("the query cannot be run: %s", SPI_result_code_string(SPI_result))));
    if (!only_reads(plan))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("the query must be one SELECT that changes nothing")));
    return SPI_cursor_open(nullptr, plan, nullptr, nullptr, true);
}

uint64 read_rows(Portal portal, MarkSample* sample) {
    const MemoryContext owner = CurrentMemoryContext;
    Columns columns = columns_of(portal->tupDesc);
    sample->aim = columns.aim;
    if (sample->whiten) {
        if (sample->aim != ProjectionAim::kComponents)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("only features without marks are whitened")));
        sample->aim = ProjectionAim::kWhitening;
    }
    const MemoryContext each =
        AllocSetContextCreate(owner, "mark of a projection", ALLOCSET_DEFAULT_SIZES);
    uint64 left_out = 0;
    for (;;) {
        SPI_cursor_fetch(portal, true, kRowsAtOnce);
        if (SPI_processed == 0) break;
        for (uint64 i = 0; i < SPI_processed; ++i) {
            CHECK_FOR_INTERRUPTS();
            MemoryContextReset(each);
            MemoryContextSwitchTo(each);
            if (!add_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &columns, sample, owner))
                ++left_out;
            MemoryContextSwitchTo(owner);
        }
        SPI_freetuptable(SPI_tuptable);
    }
    MemoryContextDelete(each);
    return left_out;
}

}  // namespace

uint64 read_marks(const char* query, MarkSample* sample) {
    // Functions in it are held to this as well; an ERROR takes the setting back.
    const int settings = NewGUCNestLevel();
    set_config_option("transaction_read_only", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                      true, 0, false);
    Portal portal = open_query(query);
    const uint64 left_out = read_rows(portal, sample);
    // Up to PostgreSQL 15 a RESET in a function undoes it.
    if (!XactReadOnly)
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                        errmsg("the query must leave the transaction read-only")));
    SPI_cursor_close(portal);
    AtEOXact_GUC(false, settings);
    return left_out;
}

}  // namespace lookalike

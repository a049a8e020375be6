#include "pg/learn/mark_query.h"

#include <cstring>

#include "core/cluster/row_form.h"
#include "pg/learn/read_only_query.h"

extern "C" {
#include "access/htup_details.h"
#include "utils/memutils.h"

Datum descriptor_out(PG_FUNCTION_ARGS);
}

namespace lookalike {
namespace {

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

struct Reading {
    MarkSample* sample;
    MemoryContext owner;
    Columns columns;
    uint64 left_out;
};

/// The columns say what is learned.
void take_columns(TupleDesc row_type, void* argument) {
    auto* reading = static_cast<Reading*>(argument);
    MarkSample* sample = reading->sample;
    reading->columns = columns_of(row_type);
    sample->aim = reading->columns.aim;
    if (!sample->whiten) return;
    if (sample->aim != ProjectionAim::kComponents)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("only features without marks are whitened")));
    sample->aim = ProjectionAim::kWhitening;
}

void take_row(HeapTuple tuple, TupleDesc row_type, void* argument) {
    auto* reading = static_cast<Reading*>(argument);
    if (!add_row(tuple, row_type, &reading->columns, reading->sample, reading->owner))
        ++reading->left_out;
}

}  // namespace

uint64 read_marks(const char* query, MarkSample* sample) {
    Reading reading{.sample = sample, .owner = CurrentMemoryContext, .columns = {}, .left_out = 0};
    run_read_only(query, take_columns, take_row, &reading);
    return reading.left_out;
}

}  // namespace lookalike

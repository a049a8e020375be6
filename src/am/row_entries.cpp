#include "am/row_entries.h"

#include <cstring>

#include "core/local/local_code.h"
#include "core/vector/signs.h"
#include "pg/local/value.h"
#include "pg/run_core.h"
#include "pg/type/column_value.h"

namespace lookalike {
namespace {

// `check_fits` raises unless the index takes the value. It comes before any look at the elements.
template <typename Check>
RowEntries read_vector(const MetaPage& meta, Datum datum, Check check_fits) {
    const ColumnValue value = read_column_value(meta.value_type, datum);
    const DescriptorView& vector = value.vector;
    check_fits(vector);
    const bool has_distance = !needs_direction(meta.metric) ||
                              (meta.value_type == ValueType::kVector ? is_measured_well(vector)
                                                                     : !has_no_direction(vector));
    RowEntries row{};
    row.count = 1;
    row.only = {has_distance ? ListClass::kLeaf : ListClass::kNoDirection, vector};
    if (value.value != datum) row.detoasted = DatumGetPointer(value.value);
    return row;
}

RowEntries row_without_value() {
    RowEntries row{};
    row.count = 1;
    row.only.list_class = ListClass::kNull;
    return row;
}

RowEntries read_local_features(const MetaPage& meta, Datum datum) {
    LocalValue* value = checked_local_value(datum);
    const LocalFeatures features = value->view();
    check_local_kind(meta, features.kind());
    RowEntries row{};
    row.local_kind = static_cast<uint8_t>(features.kind());
    if (reinterpret_cast<Pointer>(value) != DatumGetPointer(datum)) row.detoasted = value;
    row.codes = static_cast<uint8_t*>(palloc(kLocalCodeBytes * (features.count() + 1)));
    local_codes(features, row.codes);
    row.several = static_cast<RowEntry*>(palloc(sizeof(RowEntry) * (features.count() + 1)));
    row.several[row.count++] = {ListClass::kRow, {}};
    for (uint32 i = 0; i < features.count(); ++i) {
        row.several[row.count++] = {ListClass::kLeaf,
                                    {Kind::kBit, kLocalCodeBits, row.codes + kLocalCodeBytes * i}};
    }
    return row;
}

void check_dims_to_build(uint32 expected, uint32 dims) {
    if (expected == 0 || dims == expected) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("expected %u dimensions, not %u", expected, dims),
                    errdetail("An index holds descriptors of one number of dimensions."),
                    errhint("Create a partial index for each.")));
}

}  // namespace

void check_local_kind(const MetaPage& meta, LocalKind kind) {
    if (meta.local_kind == 0 || meta.local_kind == static_cast<uint8_t>(kind)) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("expected local features of kind %s, not %s",
                           local_kind_name(static_cast<LocalKind>(meta.local_kind)),
                           local_kind_name(kind)),
                    errdetail("An index holds local features of one kind."),
                    errhint("Create a partial index for each: WHERE kind(column) = '...'.")));
}

RowEntries read_row(Relation index, const LoadedIndex& loaded, const Datum* values,
                    const bool* is_null) {
    if (!has_value(is_null)) return row_without_value();
    if (loaded.meta.content == Content::kLocalFeatures)
        return read_local_features(loaded.meta, values[0]);
    return read_vector(loaded.meta, values[0], [&](const DescriptorView& vector) {
        if (loaded.knows_dims()) {
            check_value_fits(index, loaded, vector,
                             "Create a partial index for each number of dimensions. REINDEX makes "
                             "the index of an empty table forget its own.");
        } else {
            check_metric_takes(loaded.meta.metric, vector.kind);
        }
    });
}

RowEntries read_row_to_build(const MetaPage& meta, const Datum* values, const bool* is_null) {
    if (!has_value(is_null)) return row_without_value();
    if (meta.content == Content::kLocalFeatures) return read_local_features(meta, values[0]);
    return read_vector(meta, values[0], [&](const DescriptorView& vector) {
        check_metric_takes(meta.metric, vector.kind);
        check_dims_to_build(meta.dims, vector.dims);
    });
}

void release_row(const RowEntries& row) {
    if (row.detoasted != nullptr) pfree(row.detoasted);
    if (row.several != nullptr) pfree(row.several);
    if (row.codes != nullptr) pfree(row.codes);
}

void copy_elements(const RowEntry& entry, float* to) {
    const DescriptorView& vector = entry.vector;
    if (vector.kind == Kind::kBit) return bits_to_signs(vector.bits(), vector.dims, to);
    const float* reals = as_reals(vector, to);
    if (reals != to) memcpy(to, reals, sizeof(float) * vector.dims);
}

EntryVector to_index_space(const IndexSpace* space, const RowEntry& entry, float* scratch,
                           void* to) {
    const DescriptorView& vector = entry.vector;
    if (vector.kind == Kind::kBit) {
        auto* bits = static_cast<uint8_t*>(to);
        memcpy(bits, vector.bits(), element_bytes(Kind::kBit, vector.dims));
        return {.floats = nullptr, .rounding = 0, .bits = bits};
    }
    auto* floats = static_cast<float*>(to);
    const float* reals = as_reals(vector, scratch);
    const double rounding = run_core([&] { return space->to_space(reals, floats); });
    return {.floats = floats, .rounding = rounding, .bits = nullptr};
}

}  // namespace lookalike

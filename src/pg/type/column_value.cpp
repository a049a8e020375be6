#include "pg/type/column_value.h"

extern "C" {
#include "utils/varbit.h"
}

#include <algorithm>

namespace lookalike {
namespace {

// vector and halfvec lie in memory as a real descriptor does. What there is its kind is always
// zero, of halfvec too.
ColumnValue read_vector(Datum datum, Kind kind) {
    auto* value = reinterpret_cast<Descriptor*>(PG_DETOAST_DATUM(datum));
    if (VARSIZE(value) < kDescriptorHeaderBytes || value->kind != 0 || value->dims == 0 ||
        value->dims > max_dims(kind) ||
        VARSIZE(value) != kDescriptorHeaderBytes + element_bytes(kind, value->dims)) {
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored vector is corrupted")));
    }
    return {PointerGetDatum(value), {kind, value->dims, value->data}};
}

ColumnValue read_bits(Datum datum) {
    VarBit* value = DatumGetVarBitP(datum);
    const int32 length = VARBITLEN(value);
    if (length < 1 || static_cast<uint32>(length) > max_dims(Kind::kBit)) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("a faiss index holds strings of 1 to %u bits, not of %d",
                               max_dims(Kind::kBit), length)));
    }
    return {PointerGetDatum(value), {Kind::kBit, static_cast<uint32>(length), VARBITS(value)}};
}

Kind kind_of(ValueType type) {
    if (type == ValueType::kBit) return Kind::kBit;
    return type == ValueType::kHalfvec ? Kind::kHalf : Kind::kReal;
}

}  // namespace

ColumnValue read_column_value(ValueType type, Datum datum) {
    if (type == ValueType::kBit) return read_bits(datum);
    if (type != ValueType::kOwn) return read_vector(datum, kind_of(type));
    Descriptor* value = checked_descriptor(datum);
    return {PointerGetDatum(value), value->view()};
}

bool is_measured_well(const DescriptorView& vector) {
    constexpr double kLeastSquare = 1e-30;
    constexpr double kMostSquare = 1e30;
    double square = 0;
    for (uint32 i = 0; i < vector.dims; ++i)
        square += double{vector.reals()[i]} * vector.reals()[i];
    return square >= kLeastSquare && square <= kMostSquare;
}

// Those of the other types are numbers of dimensions.
TypeModifier column_typmod(ValueType type, int32 typmod) {
    if (type == ValueType::kOwn) return decode_typmod(typmod);
    const Kind kind = kind_of(type);
    if (typmod > static_cast<int32>(max_dims(kind))) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("a faiss index holds up to %u dimensions of this type, not %d",
                               max_dims(kind), typmod)));
    }
    return {.any_kind = false,
            .any_dims = typmod < 0,
            .kind = kind,
            .dims = static_cast<uint32>(std::max(typmod, 0))};
}

}  // namespace lookalike

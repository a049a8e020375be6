// Casts from and to arrays, bit, bit varying and bytea.
#include "pg/type/descriptor.h"

#include <cmath>
#include <cstring>

namespace lookalike {
namespace {

int32 array_length(ArrayType* array) {
    if (ARR_NDIM(array) > 1) {
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                        errmsg("array must have one dimension, not %d", ARR_NDIM(array))));
    }
    if (ARR_HASNULL(array) && array_contains_nulls(array)) {
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    }
    return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

// Too small becomes zero, as in text; too large is no infinity.
double numeric_to_double(Datum number) {
    const double value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));
    if (std::isinf(value) && !numeric_is_inf(DatumGetNumeric(number))) {
        char* text = numeric_out_sci(DatumGetNumeric(number), 0);
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("\"%s\" is out of range for a descriptor", text)));
    }
    return value;
}

double array_element(Datum element, Oid type) {
    switch (type) {
        case INT4OID:
            return DatumGetInt32(element);
        case FLOAT4OID:
            return DatumGetFloat4(element);
        case FLOAT8OID:
            return DatumGetFloat8(element);
        default:
            return numeric_to_double(element);
    }
}

void store_element(Descriptor* result, uint32 index, double value) {
    check_element(value);
    if (!put_element(result, index, value)) {
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("\"%g\" is out of range for a %s descriptor", value,
                               kind_name(result->element_kind()))));
    }
}

Datum to_array_element(double value, Oid type) {
    switch (type) {
        case INT4OID:
            return DirectFunctionCall1(dtoi4, Float8GetDatum(value));
        case FLOAT4OID:
            return Float4GetDatum(static_cast<float>(value));
        case FLOAT8OID:
            return Float8GetDatum(value);
        default:
            return DirectFunctionCall1(float4_numeric, Float4GetDatum(static_cast<float>(value)));
    }
}

Datum to_array(FunctionCallInfo fcinfo, Oid type) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    if (view.kind == Kind::kBit) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("cannot convert a bit descriptor to an array of numbers"),
                        errhint("Convert it to bit varying instead.")));
    }
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * view.dims));
    for (uint32 i = 0; i < view.dims; ++i) {
        CHECK_FOR_INTERRUPTS();
        elements[i] = to_array_element(element_at(view, i), type);
    }
    PG_RETURN_ARRAYTYPE_P(
        construct_array(elements, static_cast<int>(view.dims), type, length, by_value, alignment));
}

void check_bits_to_convert(const DescriptorView& view, const char* target) {
    if (view.kind == Kind::kBit) return;
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("cannot convert a %s descriptor to %s", kind_name(view.kind), target),
                    errhint("Use binary_quantize() to make a bit descriptor.")));
}

Descriptor* bits_argument(const uint8* bits, int64 bit_count, int32 typmod) {
    const TypeModifier modifier = decode_typmod(typmod);
    if (bit_count > kMaxBitDims) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("bit descriptor cannot have more than %u dimensions", kMaxBitDims)));
    }
    Descriptor* result = make_descriptor(Kind::kBit, static_cast<uint32>(bit_count));
    memcpy(result->data, bits, element_bytes(Kind::kBit, result->dims));
    return modified_descriptor(result, modifier);
}

VarBit* bit_string(const DescriptorView& view) {
    const Size size = VARBITTOTALLEN(view.dims);
    auto* result = static_cast<VarBit*>(palloc0(size));
    SET_VARSIZE(result, size);
    VARBITLEN(result) = static_cast<int32>(view.dims);
    memcpy(VARBITS(result), view.bits(), VARBITBYTES(result));
    return result;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

// Serves integer[], real[], double precision[] and numeric[].
SQL_FUNCTION(array_to_descriptor) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    const TypeModifier modifier = decode_typmod(PG_GETARG_INT32(1));
    const Oid type = ARR_ELEMTYPE(array);
    int32 count = array_length(array);
    if (modifier.kind == Kind::kBit) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("cannot convert an array to a bit descriptor"),
                        errhint("Use binary_quantize() on the array cast to descriptor.")));
    }
    Descriptor* result = make_descriptor(modifier.kind, static_cast<uint32>(count));
    check_dims(modifier, result->dims);
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    Datum* elements;
    deconstruct_array(array, type, length, by_value, alignment, &elements, nullptr, &count);
    for (int32 i = 0; i < count; ++i)
        store_element(result, static_cast<uint32>(i), array_element(elements[i], type));
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(descriptor_to_float4) {
    return to_array(fcinfo, FLOAT4OID);
}

SQL_FUNCTION(descriptor_to_float8) {
    return to_array(fcinfo, FLOAT8OID);
}

SQL_FUNCTION(descriptor_to_int4) {
    return to_array(fcinfo, INT4OID);
}

SQL_FUNCTION(descriptor_to_numeric) {
    return to_array(fcinfo, NUMERICOID);
}

SQL_FUNCTION(varbit_to_descriptor) {
    VarBit* bits = PG_GETARG_VARBIT_P(0);
    PG_RETURN_POINTER(bits_argument(VARBITS(bits), VARBITLEN(bits), PG_GETARG_INT32(1)));
}

SQL_FUNCTION(bytea_to_descriptor) {
    bytea* bytes = PG_GETARG_BYTEA_P(0);
    const int64 bit_count = int64{VARSIZE(bytes) - VARHDRSZ} * 8;
    PG_RETURN_POINTER(
        bits_argument(reinterpret_cast<uint8*>(VARDATA(bytes)), bit_count, PG_GETARG_INT32(1)));
}

SQL_FUNCTION(descriptor_to_varbit) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    check_bits_to_convert(view, "bit varying");
    PG_RETURN_VARBIT_P(bit_string(view));
}

// PostgreSQL's own casts to bit(n) cut or fill up, and "bit" is bit(1). Bits of a descriptor are
// dimensions, of which none is to go or come unseen.
SQL_FUNCTION(descriptor_to_bit) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    const int32 length = PG_GETARG_INT32(1);
    check_bits_to_convert(view, "bit");
    if (length >= 0 && static_cast<uint32>(length) != view.dims) {
        ereport(ERROR, (errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
                        errmsg("cannot convert a bit descriptor of %u dimensions to bit(%d)",
                               view.dims, length),
                        errhint("Convert it to bit(%u) or bit varying.", view.dims)));
    }
    PG_RETURN_VARBIT_P(bit_string(view));
}

SQL_FUNCTION(descriptor_to_bytea) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    check_bits_to_convert(view, "bytea");
    if (view.dims % 8 != 0) {
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION),
                 errmsg("cannot convert a bit descriptor of %u dimensions to bytea", view.dims),
                 errdetail("Its length is not a multiple of 8."),
                 errhint("Convert it to bit varying instead.")));
    }
    const Size bytes = element_bytes(Kind::kBit, view.dims);
    auto* result = static_cast<bytea*>(palloc(VARHDRSZ + bytes));
    SET_VARSIZE(result, VARHDRSZ + bytes);
    memcpy(VARDATA(result), view.bits(), bytes);
    PG_RETURN_BYTEA_P(result);
}

// Arithmetic and the functions that make one descriptor from another.
#include "pg/type/descriptor.h"

#include <algorithm>

#include "core/vector/distance.h"

namespace lookalike {
namespace {

// Half with half stays half; anything else is real.
Kind common_kind(const DescriptorView& a, const DescriptorView& b) {
    return a.kind == Kind::kHalf && b.kind == Kind::kHalf ? Kind::kHalf : Kind::kReal;
}

template <typename Operation>
Datum combine(FunctionCallInfo fcinfo, const char* what, Operation operation) {
    const DescriptorView a = descriptor_argument(fcinfo, 0)->view();
    const DescriptorView b = descriptor_argument(fcinfo, 1)->view();
    check_numeric(a, what);
    check_numeric(b, what);
    check_same_dims(a, b);
    Descriptor* result = make_descriptor(common_kind(a, b), a.dims);
    for (uint32 i = 0; i < a.dims; ++i) {
        // In double, so that the result is rounded once, whatever its kind.
        const double value = operation(element_at(a, i), element_at(b, i));
        store_result(result, i, value);
        if (value != 0 && element_at(result->view(), i) == 0) {
            ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                            errmsg("value out of range: underflow")));
        }
    }
    PG_RETURN_POINTER(result);
}

bool bit_at(const uint8_t* bits, uint32 index) {
    return (bits[index / 8] >> (7 - index % 8)) & 1;
}

void set_bit(uint8_t* bits, uint32 index) {
    bits[index / 8] = static_cast<uint8_t>(bits[index / 8] | (0x80 >> (index % 8)));
}

// Copies elements [first, first + count) of `source` to `result` from `at` on.
void copy_elements(const DescriptorView& source, uint32 first, uint32 count, Descriptor* result,
                   uint32 at) {
    for (uint32 i = 0; i < count; ++i) {
        if (source.kind == Kind::kBit) {
            if (bit_at(source.bits(), first + i)) set_bit(result->data, at + i);
        } else {
            store_result(result, at + i, element_at(source, first + i));
        }
    }
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_add) {
    return combine(fcinfo, "addition", [](double a, double b) { return a + b; });
}

SQL_FUNCTION(descriptor_sub) {
    return combine(fcinfo, "subtraction", [](double a, double b) { return a - b; });
}

SQL_FUNCTION(descriptor_mul) {
    return combine(fcinfo, "multiplication", [](double a, double b) { return a * b; });
}

SQL_FUNCTION(descriptor_concat) {
    const DescriptorView a = descriptor_argument(fcinfo, 0)->view();
    const DescriptorView b = descriptor_argument(fcinfo, 1)->view();
    if ((a.kind == Kind::kBit) != (b.kind == Kind::kBit)) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("cannot concatenate a %s and a %s descriptor", kind_name(a.kind),
                               kind_name(b.kind))));
    }
    const Kind kind = a.kind == Kind::kBit ? Kind::kBit : common_kind(a, b);
    Descriptor* result = make_descriptor(kind, a.dims + b.dims);
    copy_elements(a, 0, a.dims, result, 0);
    copy_elements(b, 0, b.dims, result, a.dims);
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(subvector) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    // Positions count from 1, and a part beyond the ends is cut, as in substring().
    const int64 first = std::max<int64>(PG_GETARG_INT32(1), 1);
    const int64 end =
        std::min<int64>(int64{PG_GETARG_INT32(1)} + PG_GETARG_INT32(2), int64{view.dims} + 1);
    if (end <= first) {
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("descriptor must have at least 1 dimension")));
    }
    Descriptor* result = make_descriptor(view.kind, static_cast<uint32>(end - first));
    copy_elements(view, static_cast<uint32>(first - 1), result->dims, result, 0);
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(binary_quantize) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    check_numeric(view, "binary quantization");
    Descriptor* result = make_descriptor(Kind::kBit, view.dims);
    for (uint32 i = 0; i < view.dims; ++i) {
        if (element_at(view, i) > 0) set_bit(result->data, i);
    }
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(l2_normalize) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    check_numeric(view, "normalization");
    Descriptor* result = make_descriptor(view.kind, view.dims);
    const double length = norm(view);
    for (uint32 i = 0; length > 0 && i < view.dims; ++i)
        store_result(result, i, element_at(view, i) / length);
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(descriptor_norm) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    check_numeric(view, "the norm");
    PG_RETURN_FLOAT8(norm(view));
}

SQL_FUNCTION(descriptor_dims) {
    PG_RETURN_INT32(descriptor_argument(fcinfo, 0)->dims);
}

SQL_FUNCTION(descriptor_kind) {
    PG_RETURN_TEXT_P(cstring_to_text(kind_name(descriptor_argument(fcinfo, 0)->element_kind())));
}

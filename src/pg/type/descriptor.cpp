#include "pg/type/descriptor.h"

#include <cmath>
#include <cstring>

#include "core/vector/half.h"

namespace lookalike {

Descriptor* make_descriptor(Kind kind, uint32 dims) {
    if (dims == 0) {
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("descriptor must have at least 1 dimension")));
    }
    if (dims > max_dims(kind)) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%s descriptor cannot have more than %u dimensions", kind_name(kind),
                               max_dims(kind))));
    }
    const Size size = kDescriptorHeaderBytes + element_bytes(kind, dims);
    auto* result = static_cast<Descriptor*>(palloc0(size));
    SET_VARSIZE(result, size);
    result->dims = static_cast<uint16>(dims);
    result->kind = static_cast<uint8>(kind);
    return result;
}

Descriptor* checked_descriptor(Datum datum) {
    auto* value = reinterpret_cast<Descriptor*>(PG_DETOAST_DATUM(datum));
    if (VARSIZE(value) < kDescriptorHeaderBytes || value->kind >= kKindCount || value->dims == 0 ||
        VARSIZE(value) !=
            kDescriptorHeaderBytes + element_bytes(value->element_kind(), value->dims)) {
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored descriptor is corrupted")));
    }
    return value;
}

Descriptor* descriptor_argument(FunctionCallInfo fcinfo, int index) {
    return checked_descriptor(PG_GETARG_DATUM(index));
}

float element_at(const DescriptorView& view, uint32 index) {
    return view.kind == Kind::kHalf ? half_to_float(view.halves()[index]) : view.reals()[index];
}

bool put_element(Descriptor* descriptor, uint32 index, double value) {
    if (descriptor->element_kind() == Kind::kHalf) {
        const uint16_t half = half_from_double(value);
        descriptor->halves()[index] = half;
        return (half & 0x7c00) != 0x7c00;
    }
    const float real = static_cast<float>(value);
    descriptor->reals()[index] = real;
    return std::isfinite(real);
}

void store_result(Descriptor* descriptor, uint32 index, double value) {
    if (put_element(descriptor, index, value)) return;
    ereport(ERROR,
            (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
}

Descriptor* convert_descriptor(Descriptor* source, Kind kind) {
    const DescriptorView view = source->view();
    if (view.kind == kind) return source;
    if (view.kind == Kind::kBit || kind == Kind::kBit) {
        ereport(
            ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("cannot convert a %s descriptor to %s", kind_name(view.kind), kind_name(kind)),
             kind == Kind::kBit ? errhint("Use binary_quantize() to make a bit descriptor.") : 0));
    }
    Descriptor* result = make_descriptor(kind, view.dims);
    for (uint32 i = 0; i < view.dims; ++i) {
        const float value = element_at(view, i);
        if (!put_element(result, i, value)) {
            ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                            errmsg("\"%g\" is out of range for a half descriptor", value)));
        }
    }
    return result;
}

void check_dims(const TypeModifier& modifier, uint32 dims) {
    if (modifier.any_dims || modifier.dims == dims) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("expected %u dimensions, not %u", modifier.dims, dims)));
}

Descriptor* modified_descriptor(Descriptor* value, const TypeModifier& modifier) {
    if (modifier.any_kind) return value;
    const bool is_bit = value->element_kind() == Kind::kBit;
    if (is_bit == (modifier.kind == Kind::kBit)) check_dims(modifier, value->dims);
    return convert_descriptor(value, modifier.kind);
}

void check_same_dims(const DescriptorView& a, const DescriptorView& b) {
    if (a.dims == b.dims) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("different descriptor dimensions %u and %u", a.dims, b.dims)));
}

void check_numeric(const DescriptorView& view, const char* what) {
    if (view.kind != Kind::kBit) return;
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("%s is not defined for bit descriptors", what)));
}

void check_bit(const DescriptorView& view, const char* what) {
    if (view.kind == Kind::kBit) return;
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("%s is not defined for %s descriptors", what, kind_name(view.kind)),
                    errhint("Use binary_quantize() to make a bit descriptor.")));
}

void check_element(double value) {
    if (std::isnan(value)) {
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN is not allowed in a descriptor")));
    }
    if (std::isinf(value)) {
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("infinite value is not allowed in a descriptor")));
    }
}

}  // namespace lookalike

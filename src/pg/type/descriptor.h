// The descriptor as PostgreSQL stores it, and what every SQL function on it needs.
#pragma once

#include "pg/server.h"

#include "core/vector/element.h"

namespace lookalike {

/// The varlena. `reserved` is kept for later use; it is zero in version 1.
struct Descriptor {
    int32 varlena_header;
    uint16 dims;
    uint8 kind;
    uint8 reserved;
    uint8 data[FLEXIBLE_ARRAY_MEMBER];

    Kind element_kind() const { return static_cast<Kind>(kind); }
    DescriptorView view() const { return {element_kind(), dims, data}; }
    float* reals() { return reinterpret_cast<float*>(data); }
    uint16_t* halves() { return reinterpret_cast<uint16_t*>(data); }
};

constexpr size_t kDescriptorHeaderBytes = offsetof(Descriptor, data);
static_assert(kDescriptorHeaderBytes == 8, "elements start at a multiple of 8");

/// A zeroed descriptor in CurrentMemoryContext. Raises when `dims` is 0 or above the kind's limit.
Descriptor* make_descriptor(Kind kind, uint32 dims);

/// The argument `index` of a SQL function, detoasted, its header checked.
Descriptor* descriptor_argument(FunctionCallInfo fcinfo, int index);

/// Checks the header of a detoasted value; raises ERRCODE_DATA_CORRUPTED.
Descriptor* checked_descriptor(Datum datum);

/// Element `index` of a real or half descriptor.
float element_at(const DescriptorView& view, uint32 index);

/// Rounds `value` to the element type and stores it; false when it overflows that.
bool put_element(Descriptor* descriptor, uint32 index, double value);

/// The same for what was computed; raises when it overflows.
void store_result(Descriptor* descriptor, uint32 index, double value);

/// `source` itself, or a copy whose elements have `kind`. Real and half convert into each other;
/// bit converts into nothing. Raises when a value does not fit.
Descriptor* convert_descriptor(Descriptor* source, Kind kind);

/// What a column's type modifier demands: nothing of a bare `descriptor`, a kind or both.
struct TypeModifier {
    bool any_kind;
    bool any_dims;
    Kind kind;    ///< real for any
    uint32 dims;  ///< 0 for any
};
TypeModifier decode_typmod(int32 typmod);

/// Raises unless `dims` is what the modifier demands.
void check_dims(const TypeModifier& modifier, uint32 dims);

/// `value` as the modifier demands it: of its kind, converted where needed. Raises when its kind or
/// its dimensions do not fit; the kind first, as dimensions of another kind say nothing.
Descriptor* modified_descriptor(Descriptor* value, const TypeModifier& modifier);

/// Raises ERRCODE_DATA_EXCEPTION when the two cannot be compared dimension by dimension.
void check_same_dims(const DescriptorView& a, const DescriptorView& b);

/// Raises unless the value is real or half; `what` names the operation, as in "L2 distance".
void check_numeric(const DescriptorView& view, const char* what);

/// Raises unless the value is bit.
void check_bit(const DescriptorView& view, const char* what);

/// Raises unless `value` may be an element: finite.
void check_element(double value);

}  // namespace lookalike

// A total order and hashes, so that descriptors can be sorted, grouped and be unique. Real and
// half compare by value, element after element, then by dimensions; bit sorts after both.
#include "pg/type/descriptor.h"

#include <algorithm>
#include <cstring>

namespace lookalike {
namespace {

int compare_numbers(const DescriptorView& a, const DescriptorView& b) {
    const uint32 shared = std::min(a.dims, b.dims);
    for (uint32 i = 0; i < shared; ++i) {
        const float x = element_at(a, i);
        const float y = element_at(b, i);
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.dims > b.dims) - (a.dims < b.dims);
}

int compare_bits(const DescriptorView& a, const DescriptorView& b) {
    const size_t bytes =
        std::min(element_bytes(Kind::kBit, a.dims), element_bytes(Kind::kBit, b.dims));
    const int order = memcmp(a.bits(), b.bits(), bytes);
    return order != 0 ? order : (a.dims > b.dims) - (a.dims < b.dims);
}

int compare_values(const DescriptorView& a, const DescriptorView& b) {
    const bool a_is_bit = a.kind == Kind::kBit;
    const bool b_is_bit = b.kind == Kind::kBit;
    if (a_is_bit != b_is_bit) return a_is_bit ? 1 : -1;
    return a_is_bit ? compare_bits(a, b) : compare_numbers(a, b);
}

// A sort and a btree keep what a comparison leaves behind, millions of times: so free the copies
// that detoasting made.
int compare(FunctionCallInfo fcinfo) {
    Descriptor* a = descriptor_argument(fcinfo, 0);
    Descriptor* b = descriptor_argument(fcinfo, 1);
    const int order = compare_values(a->view(), b->view());
    PG_FREE_IF_COPY(a, 0);
    PG_FREE_IF_COPY(b, 1);
    return order;
}

uint64 hash_numbers(const DescriptorView& view, uint64 seed) {
    constexpr uint32 kChunk = 256;
    float chunk[kChunk];
    for (uint32 start = 0; start < view.dims; start += kChunk) {
        const uint32 count = std::min(kChunk, view.dims - start);
        for (uint32 i = 0; i < count; ++i)
            chunk[i] = element_at(view, start + i) + 0.0f;  // -0 equals 0
        seed = hash_bytes_extended(reinterpret_cast<const unsigned char*>(chunk),
                                   static_cast<int>(count * sizeof(float)), seed);
    }
    return seed;
}

uint64 hash_value(const DescriptorView& view, uint64 seed) {
    if (view.kind != Kind::kBit) return hash_numbers(view, seed);
    const int bytes = static_cast<int>(element_bytes(Kind::kBit, view.dims));
    return hash_bytes_extended(view.bits(), bytes, seed + view.dims);
}

uint64 hash_argument(FunctionCallInfo fcinfo, uint64 seed) {
    Descriptor* value = descriptor_argument(fcinfo, 0);
    const uint64 hash = hash_value(value->view(), seed);
    PG_FREE_IF_COPY(value, 0);
    return hash;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_lt) {
    PG_RETURN_BOOL(compare(fcinfo) < 0);
}

SQL_FUNCTION(descriptor_le) {
    PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

SQL_FUNCTION(descriptor_eq) {
    PG_RETURN_BOOL(compare(fcinfo) == 0);
}

SQL_FUNCTION(descriptor_ne) {
    PG_RETURN_BOOL(compare(fcinfo) != 0);
}

SQL_FUNCTION(descriptor_ge) {
    PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

SQL_FUNCTION(descriptor_gt) {
    PG_RETURN_BOOL(compare(fcinfo) > 0);
}

SQL_FUNCTION(descriptor_cmp) {
    PG_RETURN_INT32(compare(fcinfo));
}

SQL_FUNCTION(descriptor_hash) {
    PG_RETURN_UINT32(static_cast<uint32>(hash_argument(fcinfo, 0)));
}

SQL_FUNCTION(descriptor_hash_extended) {
    PG_RETURN_UINT64(hash_argument(fcinfo, static_cast<uint64>(PG_GETARG_INT64(1))));
}

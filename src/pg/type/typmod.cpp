// Type modifiers: descriptor(128), descriptor(512, half), descriptor(256, bit), and with a kind but
// any number of dimensions, descriptor(half).
#include "pg/type/descriptor.h"

#include <charconv>
#include <cstring>
#include <initializer_list>
#include <optional>

namespace lookalike {
namespace {

// A modifier holds the kind above 16 bits of dimensions; both fit, as 64,000 < 65,536. No
// dimensions are any number of them.
int32 encode_typmod(Kind kind, uint32 dims) {
    return static_cast<int32>(static_cast<uint32>(kind) << 16 | dims);
}

std::optional<Kind> find_kind(const char* word) {
    for (const Kind kind : {Kind::kReal, Kind::kHalf, Kind::kBit}) {
        if (pg_strcasecmp(word, kind_name(kind)) == 0) return kind;
    }
    return std::nullopt;
}

Kind parse_kind(const char* word) {
    const std::optional<Kind> kind = find_kind(word);
    if (!kind) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("unrecognized descriptor kind \"%s\"", word),
                        errhint("The kinds are real, half and bit.")));
    }
    return *kind;
}

uint32 parse_dims(const char* word, Kind kind) {
    int64 dims = 0;
    const char* const end = word + strlen(word);
    const auto [rest, error] = std::from_chars(word, end, dims);
    if (rest != end || error == std::errc::invalid_argument) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid number of dimensions \"%s\"", word),
                        errhint("For example descriptor(128), descriptor(512, half), "
                                "descriptor(half).")));
    }
    if (error != std::errc() || dims < 1 || dims > max_dims(kind)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dimensions of a %s descriptor must be between 1 and %u",
                               kind_name(kind), max_dims(kind))));
    }
    return static_cast<uint32>(dims);
}

}  // namespace

TypeModifier decode_typmod(int32 typmod) {
    if (typmod < 0) return {.any_kind = true, .any_dims = true, .kind = Kind::kReal, .dims = 0};
    // Anybody can call the input function with a modifier that descriptor_typmod_in() never makes.
    const uint32 kind = static_cast<uint32>(typmod) >> 16;
    const uint32 dims = static_cast<uint32>(typmod) & 0xffff;
    if (kind >= kKindCount || dims > max_dims(static_cast<Kind>(kind))) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid descriptor type modifier %d", typmod)));
    }
    return {
        .any_kind = false, .any_dims = dims == 0, .kind = static_cast<Kind>(kind), .dims = dims};
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_typmod_in) {
    ArrayType* words = PG_GETARG_ARRAYTYPE_P(0);
    Datum* elements;
    int count;
    deconstruct_array(words, CSTRINGOID, -2, false, TYPALIGN_CHAR, &elements, nullptr, &count);
    if (count < 1 || count > 2) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("descriptor takes its dimensions and, after a comma, its kind"),
                        errhint("For example descriptor(128), descriptor(512, half), "
                                "descriptor(half).")));
    }
    const char* first = DatumGetCString(elements[0]);
    const std::optional<Kind> alone = count == 1 ? find_kind(first) : std::nullopt;
    if (alone) PG_RETURN_INT32(encode_typmod(*alone, 0));
    const Kind kind = count == 2 ? parse_kind(DatumGetCString(elements[1])) : Kind::kReal;
    PG_RETURN_INT32(encode_typmod(kind, parse_dims(first, kind)));
}

SQL_FUNCTION(descriptor_typmod_out) {
    const TypeModifier modifier = decode_typmod(PG_GETARG_INT32(0));
    if (modifier.any_kind) PG_RETURN_CSTRING(pstrdup(""));
    if (modifier.any_dims) PG_RETURN_CSTRING(psprintf("(%s)", kind_name(modifier.kind)));
    if (modifier.kind == Kind::kReal) PG_RETURN_CSTRING(psprintf("(%u)", modifier.dims));
    PG_RETURN_CSTRING(psprintf("(%u,%s)", modifier.dims, kind_name(modifier.kind)));
}

// The length coercion that PostgreSQL applies on assignment and on explicit casts.
SQL_FUNCTION(descriptor) {
    Descriptor* value = descriptor_argument(fcinfo, 0);
    const TypeModifier modifier = decode_typmod(PG_GETARG_INT32(1));
    PG_RETURN_POINTER(modified_descriptor(value, modifier));
}

// Text and binary input and output of the type.
#include "pg/type/descriptor.h"

#include <bit>
#include <cstring>

#include "core/vector/half.h"
#include "core/vector/text_form.h"

namespace lookalike {
namespace {

// Long inputs are cut in messages: an error must stay readable.
constexpr int kShownBytes = 60;

// A message must not end inside a character: the client could not read it.
char* copy_of_element(std::string_view element, Kind kind) {
    if (element.empty()) return pstrdup("");
    const int length = kind == Kind::kBit
                           ? pg_mblen(element.data())
                           : pg_mbcliplen(element.data(), static_cast<int>(element.size()),
                                          static_cast<int>(element.size()));
    return pnstrdup(element.data(), static_cast<Size>(length));
}

[[noreturn]] void raise_text_fault(const char* text, TextFault fault, std::string_view element,
                                   Kind kind) {
    const int length = pg_mbcliplen(text, static_cast<int>(strlen(text)), kShownBytes);
    char* shown = pnstrdup(text, static_cast<Size>(length));
    const char* more = text[length] == '\0' ? "" : "...";
    char* part = copy_of_element(element, kind);
    const int syntax = ERRCODE_INVALID_TEXT_REPRESENTATION;
    switch (fault) {
        case TextFault::kEmpty:
            ereport(ERROR, (errcode(syntax),
                            errmsg("invalid input syntax for type descriptor: empty string"),
                            errhint("Write numbers as [1,2.5,-3] and bits as x0f3a or b10110.")));
        case TextFault::kBadStart:
            ereport(ERROR,
                    (errcode(syntax),
                     errmsg("invalid input syntax for type descriptor: \"%s%s\"", shown, more),
                     errdetail("Descriptor text must start with \"[\", \"x\" or \"b\", or be 0s "
                               "and 1s.")));
        case TextFault::kNoDimensions:
            ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                            errmsg("descriptor must have at least 1 dimension")));
        case TextFault::kTooManyDimensions:
            ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                            errmsg("%s descriptor cannot have more than %u dimensions",
                                   kind_name(kind), max_dims(kind))));
        case TextFault::kBadElement:
            ereport(ERROR,
                    (errcode(syntax),
                     errmsg("invalid input syntax for type descriptor: \"%s%s\"", shown, more),
                     errdetail("\"%s\" is not %s.", part,
                               kind == Kind::kBit ? "a digit of this form" : "a number")));
        case TextFault::kNotANumber:
            ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                            errmsg("NaN is not allowed in a descriptor")));
        case TextFault::kInfinite:
            ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                            errmsg("infinite value is not allowed in a descriptor")));
        case TextFault::kOutOfRange:
            ereport(ERROR,
                    (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                     errmsg("\"%s\" is out of range for a %s descriptor", part, kind_name(kind))));
        case TextFault::kUnclosed:
            ereport(ERROR,
                    (errcode(syntax),
                     errmsg("invalid input syntax for type descriptor: \"%s%s\"", shown, more),
                     errdetail("The closing \"]\" is missing.")));
        case TextFault::kTrailingText:
            ereport(ERROR,
                    (errcode(syntax),
                     errmsg("invalid input syntax for type descriptor: \"%s%s\"", shown, more),
                     errdetail("There is text after the closing \"]\".")));
        case TextFault::kNone:
            break;
    }
    pg_unreachable();
}

void check_kind_of_text(const TypeModifier& modifier, bool is_bit) {
    if (modifier.any_kind || is_bit == (modifier.kind == Kind::kBit)) return;
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("expected a %s descriptor", kind_name(modifier.kind)),
                    modifier.kind == Kind::kBit ? errhint("Write bits as x0f3a or b10110.")
                                                : errhint("Write numbers as [1,2.5,-3].")));
}

Kind receive_kind(StringInfo message) {
    const unsigned kind = pq_getmsgint(message, 2);
    if (kind >= kKindCount) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("unrecognized descriptor kind %u", kind),
                        errdetail("The kinds are 0 (real), 1 (half) and 2 (bit).")));
    }
    return static_cast<Kind>(kind);
}

size_t bytes_left(StringInfo message) {
    return static_cast<size_t>(message->len - message->cursor);
}

// No descriptor has no dimensions, so two bytes of zeros are the first half of the length of a bit
// string. But pgvector's sparsevec starts alike: only a type that says bit settles it.
Kind kind_of_bit_string(StringInfo message, const TypeModifier& modifier, uint32* dims) {
    *dims = pq_getmsgint(message, 2);
    if (modifier.kind == Kind::kBit) return Kind::kBit;
    const bool may_be_bits = *dims > 0 && bytes_left(message) == element_bytes(Kind::kBit, *dims);
    ereport(ERROR,
            (errcode(ERRCODE_DATA_EXCEPTION), errmsg("descriptor must have at least 1 dimension"),
             may_be_bits ? errhint("The binary form of bit is read where the type says bit, as "
                                   "descriptor(bit) does.")
                         : 0));
    pg_unreachable();
}

// pgvector's halfvec is like its vector, so that its length alone tells it from real numbers: which
// is enough only where the type says half.
Kind kind_of_numbers(StringInfo message, const TypeModifier& modifier, uint32 dims) {
    if (bytes_left(message) != element_bytes(Kind::kHalf, dims)) return Kind::kReal;
    if (modifier.kind == Kind::kHalf) return Kind::kHalf;
    ereport(ERROR,
            (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("insufficient data left in message"),
             errhint("The binary form of halfvec is read where the type says half, as "
                     "descriptor(half) does.")));
    pg_unreachable();
}

void receive_elements(StringInfo message, Descriptor* result) {
    const uint32 dims = result->dims;
    if (result->element_kind() == Kind::kBit) {
        const size_t bytes = element_bytes(Kind::kBit, dims);
        pq_copymsgbytes(message, reinterpret_cast<char*>(result->data), static_cast<int>(bytes));
        if (dims % 8 != 0 && (result->data[bytes - 1] & (0xff >> (dims % 8))) != 0) {
            ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                            errmsg("unused bits of a bit descriptor must be zero")));
        }
        return;
    }
    for (uint32 i = 0; i < dims; ++i) {
        if (result->element_kind() == Kind::kHalf) {
            result->halves()[i] = static_cast<uint16_t>(pq_getmsgint(message, 2));
        } else {
            result->reals()[i] = pq_getmsgfloat4(message);
        }
        check_element(element_at(result->view(), i));
    }
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(descriptor_in) {
    const char* text = PG_GETARG_CSTRING(0);
    const TypeModifier modifier = decode_typmod(PG_GETARG_INT32(2));
    const TextShape shape = text_shape(text);
    const Kind number_kind = modifier.kind == Kind::kBit ? Kind::kReal : modifier.kind;
    const Kind kind = shape.is_bit ? Kind::kBit : number_kind;
    if (shape.fault != TextFault::kNone) raise_text_fault(text, shape.fault, {}, kind);
    check_kind_of_text(modifier, shape.is_bit);
    // Syntax before size: "[1,x]" is wrong whatever the column demands.
    Descriptor* result = make_descriptor(kind, shape.dims);
    const TextResult parsed = parse_text(text, kind, shape.dims, result->data);
    if (parsed.fault != TextFault::kNone)
        raise_text_fault(text, parsed.fault, parsed.element, kind);
    check_dims(modifier, shape.dims);
    PG_RETURN_POINTER(result);
}

SQL_FUNCTION(descriptor_out) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    auto* text = static_cast<char*>(palloc(max_text_bytes(view.kind, view.dims) + 1));
    text[format_text(view, text)] = '\0';
    PG_RETURN_CSTRING(text);
}

SQL_FUNCTION(descriptor_recv) {
    auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const TypeModifier modifier = decode_typmod(PG_GETARG_INT32(2));
    uint32 dims = pq_getmsgint(message, 2);
    Kind kind = dims == 0 ? kind_of_bit_string(message, modifier, &dims) : receive_kind(message);
    if (kind == Kind::kReal) kind = kind_of_numbers(message, modifier, dims);
    Descriptor* result = make_descriptor(kind, dims);
    receive_elements(message, result);
    PG_RETURN_POINTER(modified_descriptor(result, modifier));
}

SQL_FUNCTION(descriptor_send) {
    const DescriptorView view = descriptor_argument(fcinfo, 0)->view();
    StringInfoData message;
    pq_begintypsend(&message);
    pq_sendint16(&message, static_cast<uint16>(view.dims));
    pq_sendint16(&message, static_cast<uint16>(view.kind));
    if (view.kind == Kind::kBit) {
        pq_sendbytes(&message, reinterpret_cast<const char*>(view.bits()),
                     static_cast<int>(element_bytes(Kind::kBit, view.dims)));
    }
    for (uint32 i = 0; view.kind != Kind::kBit && i < view.dims; ++i) {
        if (view.kind == Kind::kHalf) {
            pq_sendint16(&message, view.halves()[i]);
        } else {
            pq_sendfloat4(&message, view.reals()[i]);
        }
    }
    PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

// Text and binary input and output of local features.
#include "pg/local/value.h"

#include "core/local/local_text.h"

namespace lookalike {
namespace {

/// What of a long text a message shows.
constexpr int kShownBytes = 40;

[[noreturn]] void raise_text_fault(const char* text, const LocalText& read) {
    const char* rest = text + read.offset;
    const int length = pg_mbcliplen(rest, static_cast<int>(strlen(rest)), kShownBytes);
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("invalid input syntax for type local_features"),
                    length > 0 ? errdetail("Before \"%s%s\": %s.", pnstrdup(rest, length),
                                           rest[length] == '\0' ? "" : "...", read.fault)
                               : errdetail("At the end of the text: %s.", read.fault),
                    errhint("Local features look like orb@1 640x480 "
                            "{(x,y,scale,angle,strength,descriptor),...}.")));
    pg_unreachable();
}

void check_input(const LocalValue* value, int sqlstate) {
    const char* fault = local_features_fault({value->bytes, VARSIZE(value) - VARHDRSZ});
    if (fault != nullptr) ereport(ERROR, (errcode(sqlstate), errmsg("%s", fault)));
}

LocalFeaturesHeader receive_header(StringInfo message) {
    LocalFeaturesHeader header;
    header.kind = static_cast<LocalKind>(pq_getmsgbyte(message));
    header.version = static_cast<uint8>(pq_getmsgbyte(message));
    header.mirrored = static_cast<uint8>(pq_getmsgbyte(message));
    header.reserved = static_cast<uint8>(pq_getmsgbyte(message));
    header.count = pq_getmsgint(message, 4);
    header.width = pq_getmsgint(message, 4);
    header.height = pq_getmsgint(message, 4);
    const bool has_kind = is_local_kind(static_cast<uint8>(header.kind));
    if (!has_kind || header.count > kMaxLocalFeatures)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("%s", has_kind ? "too many local features"
                                              : "unknown kind of local features"),
                        has_kind ? errdetail("The limit is %u.", kMaxLocalFeatures)
                                 : errdetail("The kinds are 1 (orb) and 2 (sift).")));
    return header;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(local_features_in) {
    const char* text = PG_GETARG_CSTRING(0);
    const size_t length = strlen(text);
    const LocalText header = read_local_text_header({text, length});
    if (header.fault != nullptr) raise_text_fault(text, header);
    LocalValue* value = make_local_value(header.header.kind, header.header.count);
    const LocalText read = read_local_text({text, length}, header.header, value->bytes);
    if (read.fault != nullptr) raise_text_fault(text, read);
    check_input(value, ERRCODE_INVALID_TEXT_REPRESENTATION);
    PG_RETURN_POINTER(value);
}

SQL_FUNCTION(local_features_out) {
    const LocalFeatures features = local_argument(fcinfo, 0)->view();
    auto* text =
        static_cast<char*>(palloc(max_local_text_bytes(features.kind(), features.count()) + 1));
    text[format_local_text(features, text)] = '\0';
    PG_RETURN_CSTRING(text);
}

SQL_FUNCTION(local_features_recv) {
    auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const LocalFeaturesHeader header = receive_header(message);
    LocalValue* value = make_local_value(header.kind, header.count);
    const LocalFeaturesParts parts = lay_out_local_features(header, value->bytes);
    pq_copymsgbytes(message, reinterpret_cast<char*>(parts.descriptors),
                    static_cast<int>(header.count * local_descriptor_bytes(header.kind)));
    for (uint32 i = 0; i < 2 * header.count; ++i)
        parts.x[i] = static_cast<uint16>(pq_getmsgint(message, 2));
    pq_copymsgbytes(message, reinterpret_cast<char*>(parts.scales),
                    static_cast<int>(3 * header.count));
    check_input(value, ERRCODE_INVALID_BINARY_REPRESENTATION);
    PG_RETURN_POINTER(value);
}

SQL_FUNCTION(local_features_send) {
    const LocalFeatures features = local_argument(fcinfo, 0)->view();
    const LocalFeaturesHeader& header = features.header;
    StringInfoData message;
    pq_begintypsend(&message);
    pq_sendbyte(&message, static_cast<uint8>(header.kind));
    pq_sendbyte(&message, header.version);
    pq_sendbyte(&message, header.mirrored);
    pq_sendbyte(&message, header.reserved);
    pq_sendint32(&message, header.count);
    pq_sendint32(&message, header.width);
    pq_sendint32(&message, header.height);
    pq_sendbytes(&message, reinterpret_cast<const char*>(features.descriptors),
                 static_cast<int>(header.count * local_descriptor_bytes(header.kind)));
    for (uint32 i = 0; i < 2 * header.count; ++i)
        pq_sendint16(&message, features.x[i]);
    pq_sendbytes(&message, reinterpret_cast<const char*>(features.scales),
                 static_cast<int>(3 * header.count));
    PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

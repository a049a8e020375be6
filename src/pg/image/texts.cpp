// Texts to descriptors, in the space of the pictures: docs/TEXT.md.
#include "core/text/text_options.h"
#include "pg/image/functions.h"
#include "pg/image/models.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace lookalike {
namespace {

/// As UTF-8, whatever the database's encoding is.
ImageBytes utf8_of(text* input) {
    const auto length = static_cast<int>(VARSIZE_ANY_EXHDR(input));
    char* given = VARDATA_ANY(input);
    // A text is counted before it is copied: what is too long stays where it is.
    if (static_cast<size_t>(length) > kMaxTextBytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("text of %d bytes is too long", length),
                        errdetail("The limit is %zu bytes.", kMaxTextBytes)));
    char* converted = pg_server_to_any(given, length, PG_UTF8);
    const size_t bytes = converted == given ? static_cast<size_t>(length) : strlen(converted);
    if (bytes > kMaxTextBytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("text of %zu bytes is too long", bytes),
                        errdetail("The limit is %zu bytes.", kMaxTextBytes)));
    return {converted, bytes};
}

/// Said here, as the worker would look for an extractor of that name.
void check_names_network(text* network) {
    if (strstr(text_to_cstring(network), "net:") != nullptr) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a text has features by one network, such as \"net:clip@1\""),
                    errhint("Write it as \"net:<name>@<version>\".")));
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(text_features) {
    check_names_network(PG_GETARG_TEXT_PP(1));
    PG_RETURN_POINTER(features_of_bytes(WorkerKind::kTextFeatures, utf8_of(PG_GETARG_TEXT_PP(0)),
                                        PG_GETARG_TEXT_PP(1), false));
}

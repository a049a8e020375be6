// Adding a row, with the rights of who adds it.
#include <cstring>

#include "pg/extension.h"
#include "pg/registry/registry.h"

extern "C" {
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "utils/acl.h"
}

namespace lookalike {

void check_registered_name(const char* name) {
    constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const size_t length = strlen(name);
    if (length < 1 || length > 63 || strspn(name, kLetters) != length)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_NAME), errmsg("invalid name \"%s\"", name),
                 errdetail("A name has 1 to 63 characters: a to z, 0 to 9, \"_\" and \"-\".")));
}

void check_may_register() {
    const Oid table = get_relname_relid(kRegistryTable, extension_schema());
    if (!OidIsValid(table) || pg_class_aclcheck(table, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, kRegistryTable);
}

void add_registered(const char* kind, const char* name, int32 version, Datum data,
                    const char* options, int32 dims) {
    Oid types[] = {TEXTOID, TEXTOID, INT4OID, BYTEAOID, TEXTOID, INT4OID};
    Datum values[] = {CStringGetTextDatum(kind),    CStringGetTextDatum(name),
                      Int32GetDatum(version),       data,
                      CStringGetTextDatum(options), Int32GetDatum(dims)};
    const char* schema = get_namespace_name(extension_schema());
    const char* statement = psprintf(
        "INSERT INTO %s (kind, name, version, data, options, dims)"
        " VALUES ($1, $2, $3, $4, $5::pg_catalog.jsonb, $6)",
        quote_qualified_identifier(schema, kRegistryTable));
    if (SPI_execute_with_args(statement, lengthof(types), types, values, nullptr, false, 0) !=
        SPI_OK_INSERT)
        elog(ERROR, "could not add a row to \"%s\"", kRegistryTable);
}

}  // namespace lookalike

// What a registered row is used by is not to lose it.
#include "pg/registry/registry.h"

#include "pg/extension.h"

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"
}

namespace lookalike {
namespace {

/// More are counted only.
constexpr uint64 kNamedDependants = 10;

// PostgreSQL records that an expression uses a function, but not with which constants: what depends
// on a function of the extension ($1) is looked at as text, for the pattern $2.
constexpr char kFindDependants[] = R"(
WITH uses AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid
      FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_depend AS e ON e.classid = d.refclassid AND e.objid = d.refobjid
     WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.deptype = 'e'
       AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.refobjid = $1
), texts AS (
    SELECT u.*, CASE u.classid::pg_catalog.regclass::pg_catalog.text
        WHEN 'pg_class' THEN pg_catalog.pg_get_indexdef(u.objid)
        WHEN 'pg_attrdef' THEN (SELECT pg_catalog.pg_get_expr(a.adbin, a.adrelid)
            FROM pg_catalog.pg_attrdef AS a WHERE a.oid = u.objid)
        WHEN 'pg_constraint' THEN pg_catalog.pg_get_constraintdef(u.objid)
        WHEN 'pg_trigger' THEN pg_catalog.pg_get_triggerdef(u.objid)
        WHEN 'pg_rewrite' THEN pg_catalog.pg_get_ruledef(u.objid)
        END AS text
      FROM uses AS u
)
SELECT pg_catalog.pg_describe_object(classid, objid, objsubid) FROM texts
 WHERE text ~ $2 ORDER BY 1)";

/// How functions name a row: 'net:<name>@<version>' the networks, 'vlad:<name>@<version>' and the
/// like or a function's own argument 'name@version' the codebooks, such an argument or one behind
/// ">" the projections; a version of a network or a codebook may have zeros in front. A name has no
/// letter that a pattern takes for something else.
char* pattern_of(const char* kind, const char* name, int32 version) {
    if (strcmp(kind, kTextKind) == 0)
        return psprintf("text_features.*net:%s@0*%d([^0-9]|$)", name, version);
    const char* before = ">[[:space:]]*|project\\(.*'";
    if (strcmp(kind, kNetworkKind) == 0) before = "net:";
    if (strcmp(kind, kCodebookKind) == 0) before = "(bow|vlad|fisher):|codebook_features\\(.*'";
    return psprintf("(%s)%s@0*%d([^0-9]|$)", before, name, version);
}

[[noreturn]] void report_dependants(const char* kind, const char* key) {
    StringInfoData detail;
    initStringInfo(&detail);
    const uint64 count = SPI_processed;
    for (uint64 i = 0; i < Min(count, kNamedDependants); ++i)
        appendStringInfo(&detail, "%s%s uses it.", i > 0 ? "\n" : "",
                         SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
    if (count > kNamedDependants)
        appendStringInfo(&detail, "\n" UINT64_FORMAT " more use it.", count - kNamedDependants);
    ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
                    errmsg("cannot drop %s \"%s\" because other objects depend on it", kind, key),
                    errdetail_internal("%s", detail.data),
                    errhint("Drop them first, or change them to another version.")));
    pg_unreachable();
}

/// A column of the row that the trigger fires for.
char* old_value(const TriggerData* trigger, const char* column) {
    const TupleDesc row_type = RelationGetDescr(trigger->tg_relation);
    char* value = SPI_getvalue(trigger->tg_trigtuple, row_type, SPI_fnumber(row_type, column));
    if (value == nullptr) elog(ERROR, "column \"%s\" of \"%s\" is null", column, kRegistryTable);
    return value;
}

void check_no_dependants(const TriggerData* trigger) {
    const char* kind = old_value(trigger, "kind");
    const char* name = old_value(trigger, "name");
    const int32 version = pg_strtoint32(old_value(trigger, "version"));
    Oid types[] = {OIDOID, TEXTOID};
    Datum values[] = {ObjectIdGetDatum(extension_oid()),
                      CStringGetTextDatum(pattern_of(kind, name, version))};
    if (SPI_execute_with_args(kFindDependants, lengthof(types), types, values, nullptr, true, 0) !=
        SPI_OK_SELECT)
        elog(ERROR, "could not look for what depends on a row of \"%s\"", kRegistryTable);
    if (SPI_processed > 0) report_dependants(kind, psprintf("%s@%d", name, version));
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

// Fires before a row is deleted, or gets another name.
SQL_FUNCTION(lookalike_models_kept) {
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
        !belongs_to_extension(RelationRelationId, RelationGetRelid(trigger->tg_relation)))
        ereport(ERROR,
                (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                 errmsg("function \"%s\" must be called as a trigger", "lookalike_models_kept")));
    const int settings = NewGUCNestLevel();
    RestrictSearchPath();
    SPI_connect();
    check_no_dependants(trigger);
    SPI_finish();
    AtEOXact_GUC(false, settings);
    PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
                                                                 : trigger->tg_trigtuple);
}

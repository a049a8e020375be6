// Triggers that fill a column from a photo column: with descriptors or with local features. Unlike
// a generated column, what they filled is dumped as data.
#include "pg/image/functions.h"

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/rel.h"

Datum descriptor_out(PG_FUNCTION_ARGS);
Datum local_features_out(PG_FUNCTION_ARGS);
}

namespace lookalike {
namespace {

/// What the triggers differ in.
struct TriggerKind {
    const char* name;
    const char* wanted;  ///< what its arguments are, for who gives others
    int argument_count;  ///< without the last one, which may be left out
    const char* type_name;
    PGFunction type_output;  ///< of the type of the column that it fills
};
constexpr TriggerKind kDescriptorTrigger{
    .name = "image_features_trigger",
    .wanted = "a photo column, a features column, an extractor",
    .argument_count = 3,
    .type_name = "descriptor",
    .type_output = descriptor_out};
constexpr TriggerKind kLocalTrigger{
    .name = "image_local_features_trigger",
    .wanted = "a photo column, a features column, a kind, the most features of a photo",
    .argument_count = 4,
    .type_name = "local_features",
    .type_output = local_features_out};

/// The arguments of CREATE TRIGGER, checked.
struct Columns {
    int photo;  ///< attribute numbers
    int features;
    text* spec;       ///< of descriptors
    LocalWish local;  ///< of local features
    bool may_refuse;  ///< an image that cannot be used gives NULL
};

void require(bool condition, const TriggerKind& kind, const char* message) {
    if (!condition)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("%s%s", kind.name, message)));
}

int column_number(const TriggerData* trigger, const char* name) {
    const int number = SPI_fnumber(RelationGetDescr(trigger->tg_relation), name);
    if (number <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                               RelationGetRelationName(trigger->tg_relation))));
    return number;
}

Form_pg_attribute attribute_of(const TriggerData* trigger, int column) {
    return TupleDescAttr(RelationGetDescr(trigger->tg_relation), column - 1);
}

void require_type(const TriggerData* trigger, int column, bool is_right, const char* type_name) {
    if (!is_right)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"%s\" must be of type %s",
                               NameStr(attribute_of(trigger, column)->attname), type_name)));
}

/// Not by its name, which others may give to a type of theirs.
bool has_output(Oid type, PGFunction wanted) {
    bool is_varlena;
    Oid output;
    getTypeOutputInfo(type, &output, &is_varlena);
    FmgrInfo function;
    fmgr_info(output, &function);
    return get_typtype(type) == TYPTYPE_BASE && function.fn_addr == wanted;
}

bool refuses(const TriggerKind& kind, char** arguments, int count) {
    if (count != kind.argument_count && count != kind.argument_count + 1)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("arguments of %s are %s and, if wanted, \"error\" or \"null\"",
                               kind.name, kind.wanted)));
    if (count == kind.argument_count) return false;
    const char* wanted = arguments[kind.argument_count];
    if (strcmp(wanted, "null") == 0) return true;
    if (strcmp(wanted, "error") != 0)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("last argument of %s must be \"error\" or \"null\"", kind.name)));
    return false;
}

int32 feature_limit_of(const char* argument) {
    char* end;
    errno = 0;
    const long limit = strtol(argument, &end, 10);
    if (end == argument || *end != '\0' || errno != 0 || limit > PG_INT32_MAX)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("fourth argument of %s must be the most features of a photo, not "
                               "\"%s\"",
                               kLocalTrigger.name, argument)));
    return static_cast<int32>(Max(limit, 0));
}

Columns columns_of(const TriggerData* trigger, const TriggerKind& kind) {
    char** arguments = trigger->tg_trigger->tgargs;
    Columns columns = {};
    columns.may_refuse = refuses(kind, arguments, trigger->tg_trigger->tgnargs);
    columns.photo = column_number(trigger, arguments[0]);
    columns.features = column_number(trigger, arguments[1]);
    columns.spec = cstring_to_text(arguments[2]);
    if (kind.type_output == local_features_out)
        columns.local =
            checked_local_wish(local_kind_of(columns.spec), feature_limit_of(arguments[3]), false);
    require_type(trigger, columns.photo, attribute_of(trigger, columns.photo)->atttypid == BYTEAOID,
                 "bytea");
    require_type(trigger, columns.features,
                 has_output(attribute_of(trigger, columns.features)->atttypid, kind.type_output),
                 kind.type_name);
    return columns;
}

/// Stored outside of the row once, which an update of other columns leaves as it is.
bool is_same_place(Datum first, Datum second) {
    const auto* a = DatumGetPointer(first);
    const auto* b = DatumGetPointer(second);
    return VARATT_IS_EXTERNAL_ONDISK(a) && VARATT_IS_EXTERNAL_ONDISK(b) &&
           memcmp(a, b, VARSIZE_EXTERNAL(a)) == 0;
}

/// True when both rows hold the same bytes, read only where their lengths are equal.
bool is_same_photo(TupleDesc row_type, int column, HeapTuple before, HeapTuple after) {
    bool null_before, null_after;
    const Datum old_photo = heap_getattr(before, column, row_type, &null_before);
    const Datum new_photo = heap_getattr(after, column, row_type, &null_after);
    if (null_before || null_after) return null_before && null_after;
    if (is_same_place(old_photo, new_photo)) return true;
    return datum_image_eq(old_photo, new_photo, false, -1);
}

/// Looked up once a statement.
const Columns* kept_columns(FunctionCallInfo fcinfo, const TriggerKind& kind) {
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    if (fcinfo->flinfo->fn_extra == nullptr) {
        const MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        auto* columns = static_cast<Columns*>(palloc(sizeof(Columns)));
        *columns = columns_of(trigger, kind);
        fcinfo->flinfo->fn_extra = columns;
        MemoryContextSwitchTo(caller);
    }
    return static_cast<const Columns*>(fcinfo->flinfo->fn_extra);
}

/// What goes into the features column for `photo`; null where the photo cannot be used and may be
/// refused.
varlena* value_of(const Columns& columns, const TriggerKind& kind, bytea* photo, int32 modifier) {
    if (kind.type_output == local_features_out)
        return reinterpret_cast<varlena*>(
            local_features_of(photo, columns.local, columns.may_refuse));
    Descriptor* features = features_of(photo, columns.spec, columns.may_refuse);
    // As an assignment would: the column may want half precision, or other dimensions.
    if (features != nullptr) features = modified_descriptor(features, decode_typmod(modifier));
    return reinterpret_cast<varlena*>(features);
}

Datum fill_column(FunctionCallInfo fcinfo, const TriggerKind& kind) {
    require(CALLED_AS_TRIGGER(fcinfo), kind, " must be called as a trigger");
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    const TriggerEvent event = trigger->tg_event;
    require(TRIGGER_FIRED_BEFORE(event) && TRIGGER_FIRED_FOR_ROW(event) &&
                (TRIGGER_FIRED_BY_INSERT(event) || TRIGGER_FIRED_BY_UPDATE(event)),
            kind, " must be fired before INSERT or UPDATE, for each row");
    const Columns& columns = *kept_columns(fcinfo, kind);
    const TupleDesc row_type = RelationGetDescr(trigger->tg_relation);

    HeapTuple result = trigger->tg_trigtuple;
    if (TRIGGER_FIRED_BY_UPDATE(event)) {
        result = trigger->tg_newtuple;
        if (is_same_photo(row_type, columns.photo, trigger->tg_trigtuple, result))
            PG_RETURN_POINTER(result);
    }
    bool is_null;
    const Datum photo = heap_getattr(result, columns.photo, row_type, &is_null);
    varlena* features = nullptr;
    if (!is_null)
        features = value_of(columns, kind, DatumGetByteaPP(photo),
                            TupleDescAttr(row_type, columns.features - 1)->atttypmod);
    Datum value = PointerGetDatum(features);
    bool value_is_null = features == nullptr;
    int column = columns.features;
    result = heap_modify_tuple_by_cols(result, row_type, 1, &column, &value, &value_is_null);
    PG_RETURN_POINTER(result);
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(image_features_trigger) {
    return fill_column(fcinfo, kDescriptorTrigger);
}

SQL_FUNCTION(image_local_features_trigger) {
    return fill_column(fcinfo, kLocalTrigger);
}

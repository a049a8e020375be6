// A trigger that fills a descriptor column from a photo column. Unlike a generated column, what it
// filled is dumped as data.
#include "pg/image/functions.h"

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/rel.h"

Datum descriptor_out(PG_FUNCTION_ARGS);
}

namespace lookalike {
namespace {

void require(bool condition, const char* message) {
    if (!condition)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("%s", message)));
}

/// The arguments of CREATE TRIGGER, checked.
struct Columns {
    int photo;  ///< attribute numbers
    int features;
    text* spec;
    bool may_refuse;  ///< an image that cannot be used gives NULL
};

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
bool is_descriptor(Oid type) {
    bool is_varlena;
    Oid output;
    getTypeOutputInfo(type, &output, &is_varlena);
    FmgrInfo function;
    fmgr_info(output, &function);
    return get_typtype(type) == TYPTYPE_BASE && function.fn_addr == descriptor_out;
}

Columns columns_of(const TriggerData* trigger) {
    char** arguments = trigger->tg_trigger->tgargs;
    const int count = trigger->tg_trigger->tgnargs;
    require(count == 3 || count == 4,
            "arguments of image_features_trigger are a photo column, a features column, an "
            "extractor and, if wanted, \"error\" or \"null\"");
    const bool null_wanted = count == 4 && strcmp(arguments[3], "null") == 0;
    require(count == 3 || null_wanted || strcmp(arguments[3], "error") == 0,
            "fourth argument of image_features_trigger must be \"error\" or \"null\"");
    const Columns columns{.photo = column_number(trigger, arguments[0]),
                          .features = column_number(trigger, arguments[1]),
                          .spec = cstring_to_text(arguments[2]),
                          .may_refuse = null_wanted};
    require_type(trigger, columns.photo, attribute_of(trigger, columns.photo)->atttypid == BYTEAOID,
                 "bytea");
    require_type(trigger, columns.features,
                 is_descriptor(attribute_of(trigger, columns.features)->atttypid), "descriptor");
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
const Columns* kept_columns(FunctionCallInfo fcinfo, const TriggerData* trigger) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        const MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        auto* columns = static_cast<Columns*>(palloc(sizeof(Columns)));
        *columns = columns_of(trigger);
        fcinfo->flinfo->fn_extra = columns;
        MemoryContextSwitchTo(caller);
    }
    return static_cast<const Columns*>(fcinfo->flinfo->fn_extra);
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(image_features_trigger) {
    require(CALLED_AS_TRIGGER(fcinfo), "image_features_trigger must be called as a trigger");
    const auto* trigger = reinterpret_cast<const TriggerData*>(fcinfo->context);
    const TriggerEvent event = trigger->tg_event;
    require(TRIGGER_FIRED_BEFORE(event) && TRIGGER_FIRED_FOR_ROW(event) &&
                (TRIGGER_FIRED_BY_INSERT(event) || TRIGGER_FIRED_BY_UPDATE(event)),
            "image_features_trigger must be fired before INSERT or UPDATE, for each row");
    const Columns& columns = *kept_columns(fcinfo, trigger);
    const TupleDesc row_type = RelationGetDescr(trigger->tg_relation);

    HeapTuple result = trigger->tg_trigtuple;
    if (TRIGGER_FIRED_BY_UPDATE(event)) {
        result = trigger->tg_newtuple;
        if (is_same_photo(row_type, columns.photo, trigger->tg_trigtuple, result))
            PG_RETURN_POINTER(result);
    }
    bool is_null;
    const Datum photo = heap_getattr(result, columns.photo, row_type, &is_null);
    Descriptor* features = nullptr;
    if (!is_null) features = features_of(DatumGetByteaPP(photo), columns.spec, columns.may_refuse);
    if (features != nullptr) {
        // As an assignment would: the column may want half precision, or other dimensions.
        const int32 modifier = TupleDescAttr(row_type, columns.features - 1)->atttypmod;
        features = modified_descriptor(features, decode_typmod(modifier));
    }
    Datum value = PointerGetDatum(features);
    bool value_is_null = features == nullptr;
    int column = columns.features;
    result = heap_modify_tuple_by_cols(result, row_type, 1, &column, &value, &value_is_null);
    PG_RETURN_POINTER(result);
}

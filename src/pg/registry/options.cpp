#include "pg/registry/options.h"

#include <cmath>

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
}

namespace lookalike {
namespace {

[[noreturn]] void reject(const Registered& row, const char* name, const char* wanted) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"%s\" of %s \"%s\" must be %s", name, row.kind,
                           registered_key(row), wanted)));
    pg_unreachable();
}

JsonbValue option(const Registered& row, const char* name, jbvType type, const char* wanted) {
    Jsonb* options = DatumGetJsonbP(row.options);
    JsonbValue value;
    if (!JB_ROOT_IS_OBJECT(options) ||
        getKeyJsonValueFromContainer(&options->root, name, static_cast<int>(strlen(name)),
                                     &value) == nullptr ||
        value.type != type)
        reject(row, name, wanted);
    return value;
}

}  // namespace

double number_option(const Registered& row, const char* name) {
    const JsonbValue value = option(row, name, jbvNumeric, "a number");
    return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value.val.numeric)));
}

int32 integer_option(const Registered& row, const char* name, int32 least, int32 most) {
    const double number = number_option(row, name);
    if (!(number >= least && number <= most) || number != std::floor(number))
        reject(row, name, psprintf("a whole number from %d to %d", least, most));
    return static_cast<int32>(number);
}

bool boolean_option(const Registered& row, const char* name) {
    return option(row, name, jbvBool, "true or false").val.boolean;
}

char* text_option(const Registered& row, const char* name) {
    const JsonbValue value = option(row, name, jbvString, "a text");
    return pnstrdup(value.val.string.val, static_cast<Size>(value.val.string.len));
}

void numbers_option(const Registered& row, const char* name, float* numbers, int count) {
    char* wanted = psprintf("an array of %d numbers", count);
    const JsonbValue array = option(row, name, jbvBinary, wanted);
    JsonbContainer* items = array.val.binary.data;
    if (!JsonContainerIsArray(items) || JsonContainerSize(items) != static_cast<uint32>(count))
        reject(row, name, wanted);
    for (int i = 0; i < count; ++i) {
        const JsonbValue* item = getIthJsonbValueFromContainer(items, static_cast<uint32>(i));
        if (item->type != jbvNumeric) reject(row, name, wanted);
        numbers[i] =
            DatumGetFloat4(DirectFunctionCall1(numeric_float4, NumericGetDatum(item->val.numeric)));
    }
}

}  // namespace lookalike

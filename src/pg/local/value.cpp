#include "pg/local/value.h"

#include <cstring>

#include "pg/type/kept_argument.h"

namespace lookalike {
LocalValue* checked_local_value(Datum datum) {
    auto* value = reinterpret_cast<LocalValue*>(PG_DETOAST_DATUM(datum));
    const char* fault = local_features_fault({value->bytes, VARSIZE(value) - VARHDRSZ});
    if (fault != nullptr)
        ereport(ERROR,
                (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored local features are corrupted"),
                 errdetail_internal("%s", fault)));
    return value;
}

LocalValue* make_local_value(LocalKind kind, uint32 count) {
    const Size size = VARHDRSZ + local_features_bytes(kind, count);
    auto* value = static_cast<LocalValue*>(palloc(size));
    SET_VARSIZE(value, size);
    return value;
}

LocalValue* local_argument(FunctionCallInfo fcinfo, int index) {
    return checked_local_value(PG_GETARG_DATUM(index));
}

LocalValue* kept_local_argument(FunctionCallInfo fcinfo, int index) {
    const CheckedValue checked = [](Datum datum) {
        return reinterpret_cast<varlena*>(checked_local_value(datum));
    };
    return reinterpret_cast<LocalValue*>(kept_value(fcinfo, index, checked, SIZE_MAX));
}

LocalValue* chosen_features(const LocalFeatures& features, const uint32* chosen, uint32 count) {
    LocalValue* value = make_local_value(features.kind(), count);
    copy_local_features(features, {chosen, count}, value->bytes);
    return value;
}

void check_same_kind(const LocalFeatures& a, const LocalFeatures& b) {
    if (a.kind() == b.kind()) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("local features of different kinds cannot be compared"),
                    errdetail("One set is %s, the other is %s.", local_kind_name(a.kind()),
                              local_kind_name(b.kind()))));
}

LocalKind local_kind_of(const text* name) {
    const char* bytes = VARDATA_ANY(name);
    const size_t length = VARSIZE_ANY_EXHDR(name);
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift}) {
        const char* known = local_kind_name(kind);
        if (length == strlen(known) && memcmp(bytes, known, length) == 0) return kind;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unrecognized kind of local features \"%s\"", text_to_cstring(name)),
                    errhint("The kinds are \"orb\" and \"sift\".")));
    pg_unreachable();
}

}  // namespace lookalike

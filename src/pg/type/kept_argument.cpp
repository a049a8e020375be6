#include "pg/type/kept_argument.h"

extern "C" {
#include "access/detoast.h"
}

#include <cstring>

namespace lookalike {
namespace {

constexpr size_t kMostKeptBytes = kDescriptorHeaderBytes + element_bytes(Kind::kReal, kMaxDims);
constexpr int kKeptArguments = 2;

// What the last call had. A place in TOAST is not used again while a snapshot sees what lies there,
// and its number not before 2^32 others.
struct KeptArgument {
    varatt_external place;
    varlena* value;  // null: the place was met once only, as those of a column are
};

KeptArgument* kept_arguments(FmgrInfo* function) {
    if (function->fn_extra == nullptr) {
        function->fn_extra =
            MemoryContextAllocZero(function->fn_mcxt, kKeptArguments * sizeof(KeptArgument));
    }
    return static_cast<KeptArgument*>(function->fn_extra);
}

void forget(KeptArgument* kept) {
    if (kept->value != nullptr) pfree(kept->value);
    kept->value = nullptr;
}

varlena* value_in_toast(FmgrInfo* function, int index, Datum datum, CheckedValue checked,
                        size_t most_bytes) {
    KeptArgument* kept = &kept_arguments(function)[index];
    varatt_external place;
    VARATT_EXTERNAL_GET_POINTER(place, DatumGetPointer(datum));
    if (memcmp(&kept->place, &place, sizeof place) != 0) {
        forget(kept);
        kept->place = place;
        return checked(datum);
    }
    if (kept->value == nullptr && static_cast<size_t>(place.va_rawsize) <= most_bytes) {
        const MemoryContext caller = MemoryContextSwitchTo(function->fn_mcxt);
        kept->value = checked(datum);
        MemoryContextSwitchTo(caller);
    }
    return kept->value != nullptr ? kept->value : checked(datum);
}

}  // namespace

varlena* kept_value(FunctionCallInfo fcinfo, int index, CheckedValue checked, size_t most_bytes) {
    const Datum datum = PG_GETARG_DATUM(index);
    if (fcinfo->flinfo == nullptr || !VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(datum)))
        return checked(datum);
    return value_in_toast(fcinfo->flinfo, index, datum, checked, most_bytes);
}

Descriptor* moved_argument(FunctionCallInfo fcinfo, int index) {
    const CheckedValue checked = [](Datum datum) {
        return reinterpret_cast<varlena*>(checked_descriptor(datum));
    };
    return reinterpret_cast<Descriptor*>(kept_value(fcinfo, index, checked, kMostKeptBytes));
}

}  // namespace lookalike

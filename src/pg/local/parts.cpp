// What local features consist of, and sets made of a part of another one.
#include "pg/local/value.h"

#include <algorithm>
#include <numeric>

#include "pg/type/descriptor.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/geo_decls.h"
}

namespace lookalike {
namespace {

/// ORB gives bits, SIFT numbers from 0 to 255.
Descriptor* descriptor_of(const LocalFeatures& features, uint32 index) {
    const uint8* from = features.descriptor(index);
    const auto bytes = static_cast<uint32>(local_descriptor_bytes(features.kind()));
    if (features.kind() == LocalKind::kOrb) {
        Descriptor* bits = make_descriptor(Kind::kBit, 8 * bytes);
        memcpy(bits->data, from, bytes);
        return bits;
    }
    Descriptor* numbers = make_descriptor(Kind::kReal, bytes);
    std::copy_n(from, bytes, numbers->reals());
    return numbers;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(feature_count) {
    PG_RETURN_INT32(static_cast<int32>(local_argument(fcinfo, 0)->view().count()));
}

SQL_FUNCTION(local_features_kind) {
    PG_RETURN_TEXT_P(cstring_to_text(local_kind_name(local_argument(fcinfo, 0)->view().kind())));
}

SQL_FUNCTION(strongest) {
    LocalValue* value = local_argument(fcinfo, 0);
    const LocalFeatures features = value->view();
    const int32 wanted = PG_GETARG_INT32(1);
    if (wanted < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("number of features must not be negative")));
    const uint32 count = Min(static_cast<uint32>(wanted), features.count());
    if (count == features.count()) PG_RETURN_POINTER(value);
    auto* chosen = static_cast<uint32*>(palloc(Max(count, 1) * sizeof(uint32)));
    std::iota(chosen, chosen + count, 0u);
    PG_RETURN_POINTER(chosen_features(features, chosen, count));
}

SQL_FUNCTION(cut) {
    const LocalFeatures features = local_argument(fcinfo, 0)->view();
    const BOX* box = PG_GETARG_BOX_P(1);
    auto* chosen = static_cast<uint32*>(palloc(Max(features.count(), 1) * sizeof(uint32)));
    const uint32 count =
        features_within(features, {box->low.x, box->low.y, box->high.x, box->high.y}, chosen);
    PG_RETURN_POINTER(chosen_features(features, chosen, count));
}

SQL_FUNCTION(features) {
    FuncCallContext* call;
    if (SRF_IS_FIRSTCALL()) {
        call = SRF_FIRSTCALL_INIT();
        const MemoryContext caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        TupleDesc type;
        if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "return type must be a row type");
        call->tuple_desc = BlessTupleDesc(type);
        auto* features = static_cast<LocalFeatures*>(palloc(sizeof(LocalFeatures)));
        // A copy: the argument's memory may be gone with the next call.
        const LocalValue* value = local_argument(fcinfo, 0);
        auto* copy = static_cast<LocalValue*>(palloc(VARSIZE(value)));
        memcpy(copy, value, VARSIZE(value));
        *features = copy->view();
        call->user_fctx = features;
        call->max_calls = features->count();
        MemoryContextSwitchTo(caller);
    }
    call = SRF_PERCALL_SETUP();
    if (call->call_cntr >= call->max_calls) SRF_RETURN_DONE(call);
    const auto& features = *static_cast<LocalFeatures*>(call->user_fctx);
    const auto index = static_cast<uint32>(call->call_cntr);
    const LocalPlace place = features.place(index);
    const PicturePoint point = point_of(features, index);
    Datum values[] = {Float8GetDatum(point.x),
                      Float8GetDatum(point.y),
                      Float8GetDatum(pixels_of_scale(features.header, place.scale)),
                      Float8GetDatum(degrees_of_angle(place.angle)),
                      Float8GetDatum(response_of_strength(place.strength)),
                      PointerGetDatum(descriptor_of(features, index))};
    bool nulls[lengthof(values)] = {};
    SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls)));
}

// train_projection(name, version, query, dims, whiten): learns a linear map from the rows of a
// query.
#include <cmath>
#include <cstring>

#include "core/vector/projection.h"
#include "pg/learn/mark_query.h"
#include "pg/registry/registry.h"

extern "C" {
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "tcop/utility.h"
}

namespace lookalike {
namespace {

struct Wish {
    char* name;
    int32 version;
    char* query;
    uint32 dims_out;  ///< 0: as many as serve
    bool whiten;
};

Wish wish_of(FunctionCallInfo fcinfo) {
    for (int i = 0; i < 3; ++i)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("name, version and query of a projection must not be null")));
    const int32 dims = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
    if (!PG_ARGISNULL(3) && dims < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dims must be greater than zero")));
    const Wish wish{.name = text_to_cstring(PG_GETARG_TEXT_PP(0)),
                    .version = PG_GETARG_INT32(1),
                    .query = text_to_cstring(PG_GETARG_TEXT_PP(2)),
                    .dims_out = static_cast<uint32>(dims),
                    .whiten = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4)};
    check_registered_name(wish.name);
    if (wish.version < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("version must be greater than zero")));
    return wish;
}

/// Before work that would be lost.
void check_is_new(const Wish& wish) {
    const char* key = psprintf("%s@%d", wish.name, wish.version);
    if (visit_registered(
            kProjectionKind, key, [](const Registered&, void*) {}, nullptr))
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                        errmsg("projection \"%s\" is registered already", key),
                        errhint("Give it a new version.")));
}

/// What cannot teach anything is a mistake of who wrote the query.
void check_marks(const MarkSample& sample, uint64 left_out) {
    const char* fault = nullptr;
    if (sample.seen == 0) {
        fault = "the query gives no marks";
    } else if (sample.aim == ProjectionAim::kPairs && !sample.marks_differ) {
        fault = sample.good_count > 0 ? "the query gives good marks only"
                                      : "the query gives bad marks only";
    } else if (sample.aim == ProjectionAim::kLabels && !sample.marks_differ) {
        fault = "the query gives one label only";
    }
    if (fault != nullptr)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", fault),
                 left_out > 0
                     ? errdetail_internal(UINT64_FORMAT " rows with NULLs were left out.", left_out)
                     : 0,
                 errhint("It is learned by what is alike and what is not.")));
}

const char* figures_text(const MarkSample& sample, const WorkerProjectionResult& result) {
    const bool are_pairs = sample.aim == ProjectionAim::kPairs;
    return psprintf(
        "Held out: %s %.3f before, %.3f after.",
        are_pairs ? "good pairs nearer than bad ones (0.5: by chance)" : "mean average precision",
        result.held_out_before, result.held_out_after);
}

void tell(const Wish& wish, const MarkSample& sample, uint64 left_out,
          const WorkerProjectionResult& result) {
    StringInfoData text;
    initStringInfo(&text);
    if (std::isfinite(result.held_out_before))
        appendStringInfo(&text, "%s ", figures_text(sample, result));
    if (sample.count < sample.seen)
        appendStringInfo(&text, "\"maintenance_work_mem\" held " UINT64_FORMAT " of them. ",
                         sample.count);
    if (left_out > 0)
        appendStringInfo(&text, UINT64_FORMAT " rows with NULLs were left out. ", left_out);
    if (text.len > 0) text.data[--text.len] = '\0';
    const char* message =
        result.dims_out == 0
            ? psprintf("nothing was learned from " UINT64_FORMAT
                       " marks: projection \"%s@%d\" is not kept",
                       sample.seen, wish.name, wish.version)
            : psprintf("projection \"%s@%d\" was learned from " UINT64_FORMAT
                       " marks: %u dimensions become %u",
                       wish.name, wish.version, sample.seen, sample.dims, result.dims_out);
    ereport(NOTICE, (errmsg_internal("%s", message),
                     text.len > 0 ? errdetail_internal("%s", text.data) : 0));
}

bytea* bytes_of_projection(const MarkSample& sample, uint32 dims_out, const float* values) {
    const size_t length = VARHDRSZ + projection_bytes(sample.dims, dims_out);
    auto* data = static_cast<bytea*>(palloc(length));
    SET_VARSIZE(data, length);
    const ProjectionHeader header{.magic = kProjectionMagic,
                                  .version = kProjectionVersion,
                                  .reserved = 0,
                                  .dims_in = sample.dims,
                                  .dims_out = dims_out};
    memcpy(VARDATA(data), &header, sizeof(header));
    memcpy(VARDATA(data) + sizeof(header), values, length - VARHDRSZ - sizeof(header));
    return data;
}

const char* options_text(const MarkSample& sample, const WorkerProjectionResult& result) {
    constexpr const char* kAims[] = {"features", "labels", "pairs", "features"};
    const char* options =
        psprintf("\"learned_from\": \"%s\", \"marks\": " UINT64_FORMAT ", \"dims_in\": %u",
                 kAims[static_cast<uint32>(sample.aim)], sample.seen, sample.dims);
    if (!std::isfinite(result.held_out_before) || !std::isfinite(result.held_out_after))
        return psprintf("{%s}", options);
    return psprintf("{%s, \"held_out_before\": %.4f, \"held_out_after\": %.4f}", options,
                    result.held_out_before, result.held_out_after);
}

uint32 learn(const Wish& wish) {
    MarkSample sample = {};
    sample.memory_bytes = static_cast<uint64>(maintenance_work_mem) * 1024;
    sample.dims_out = wish.dims_out;
    sample.whiten = wish.whiten;
    const uint64 left_out = read_marks(wish.query, &sample);
    check_marks(sample, left_out);
    float* values;
    const WorkerProjectionResult result = learn_from_marks(&sample, &values);
    if (result.dims_out > 0)
        add_registered(kProjectionKind, wish.name, wish.version,
                       PointerGetDatum(bytes_of_projection(sample, result.dims_out, values)),
                       options_text(sample, result), static_cast<int32>(result.dims_out));
    tell(wish, sample, left_out, result);
    return result.dims_out;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(train_projection) {
    const Wish wish = wish_of(fcinfo);
    PreventCommandIfReadOnly("train_projection()");
    check_may_register();
    check_is_new(wish);
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    const uint32 dims_out = learn(wish);
    SPI_finish();
    if (dims_out == 0) PG_RETURN_NULL();
    PG_RETURN_INT32(static_cast<int32>(dims_out));
}

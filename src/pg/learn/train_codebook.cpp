// train_codebook(name, version, query, words, kind, features, dimensions, max_features, whiten):
// learns the words of pictures from the rows of a query.
#include <algorithm>
#include <cstring>

#include "core/codebook/codebook.h"
#include "pg/learn/codebook_sample.h"
#include "pg/registry/registry.h"
#include "pg/worker/client.h"

extern "C" {
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "tcop/utility.h"
}

namespace lookalike {
namespace {

/// Of the memory, what local features may take; they lie here and in the worker.
constexpr uint64 kFeatureShare = 4;
/// More features a word gain nothing, fewer make it a word of chance.
constexpr uint64 kMostFeaturesOfWord = 256;
constexpr uint64 kLeastFeaturesOfWord = 32;
constexpr uint64 kLeastMostFeatures = 65536;

struct Wish {
    char* name;
    int32 version;
    char* query;
    CodebookAim aim;
    LocalWish local;
    uint32 words;
    uint32 dims;  ///< 0: as many as words give
    bool whiten;
};

CodebookAim aim_of(const char* name) {
    for (const CodebookAim aim : {CodebookAim::kBow, CodebookAim::kVlad, CodebookAim::kFisher})
        if (strcmp(name, codebook_aim_name(aim)) == 0) return aim;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unrecognized kind of codebook \"%s\"", name),
                    errhint("The kinds are \"bow\", \"vlad\" and \"fisher\".")));
    pg_unreachable();
}

uint32 number_between(int32 number, uint32 least, uint32 most, const char* what) {
    if (number < static_cast<int32>(least) || number > static_cast<int32>(most))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s must be between %u and %u", what, least, most)));
    return static_cast<uint32>(number);
}

/// Of each picture before they become fewer.
uint64 sums_of(const Wish& wish) {
    const CodebookHeader header{.magic = 0,
                                .version = 0,
                                .aim = wish.aim,
                                .kind = wish.local.kind,
                                .local_version = 0,
                                .is_reduced = 0,
                                .reserved = 0,
                                .max_features = 0,
                                .word_count = wish.words,
                                .feature_dims = kMaxFeatureDims,
                                .dims = 0,
                                .padding = 0};
    return word_sums(header);
}

void check_size(const Wish& wish) {
    const uint64 most = wish.dims > 0 ? kMaxWordSums : kMaxDims;
    if (sums_of(wish) > most)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%u words of a \"%s\" codebook give " UINT64_FORMAT " dimensions",
                               wish.words, codebook_aim_name(wish.aim), sums_of(wish)),
                        errdetail("The limit is " UINT64_FORMAT "%s.", most,
                                  wish.dims > 0 ? ""
                                                : ", unless \"dimensions\" says that they become "
                                                  "fewer")));
}

Wish wish_of(FunctionCallInfo fcinfo) {
    for (int i = 0; i < PG_NARGS(); ++i)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("arguments of train_codebook() must not be null")));
    Wish wish = {};
    wish.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
    wish.version = PG_GETARG_INT32(1);
    wish.query = text_to_cstring(PG_GETARG_TEXT_PP(2));
    check_registered_name(wish.name);
    if (wish.version < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("version must be greater than zero")));
    wish.words = number_between(PG_GETARG_INT32(3), 1, kMaxWords, "words");
    wish.aim = aim_of(text_to_cstring(PG_GETARG_TEXT_PP(4)));
    wish.local = checked_local_wish(local_kind_of(PG_GETARG_TEXT_PP(5)), PG_GETARG_INT32(7), false);
    wish.dims = number_between(PG_GETARG_INT32(6), 0, kMaxDims, "dimensions");
    wish.whiten = PG_GETARG_BOOL(8);
    check_size(wish);
    return wish;
}

/// Before work that would be lost.
void check_is_new(const Wish& wish) {
    const char* key = psprintf("%s@%d", wish.name, wish.version);
    if (visit_registered(
            kCodebookKind, key, [](const Registered&, void*) {}, nullptr))
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                        errmsg("codebook \"%s\" is registered already", key),
                        errhint("Give it a new version.")));
}

/// Empty where nothing was.
const char* left_out_text(const CodebookSample& sample) {
    const struct {
        uint64 count;
        const char* what;
    } parts[] = {{sample.null_count, "NULL"},
                 {sample.broken_count, "that cannot be used"},
                 {sample.empty_count, "without features"}};
    StringInfoData text;
    initStringInfo(&text);
    for (const auto& part : parts)
        if (part.count > 0)
            appendStringInfo(&text, "%s" UINT64_FORMAT " %s",
                             text.len > 0 ? ", " : "Left out: ", part.count, part.what);
    if (text.len > 0) appendStringInfoChar(&text, '.');
    return text.data;
}

/// What cannot teach anything is a mistake of who wrote the query.
void check_sample(const Wish& wish, const CodebookSample& sample) {
    const char* fault = nullptr;
    if (sample.seen == 0)
        fault = "the query gives no pictures";
    else if (sample.feature_count == 0)
        fault = "the pictures of the query have no features";
    else if (sample.feature_count < wish.words)
        fault = psprintf("the pictures of the query have " UINT64_FORMAT
                         " features, fewer than %u words",
                         sample.feature_count, wish.words);
    if (fault == nullptr) return;
    const char* detail = left_out_text(sample);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg_internal("%s", fault),
                    *detail != '\0' ? errdetail_internal("%s", detail) : 0));
}

/// How much is learned from, within memory.
struct Plan {
    uint64 most_features;
    uint32 most_pictures;
    uint64 worker_bytes;
    uint64 result_bytes;
};

[[noreturn]] void report_memory(const Wish& wish, uint64 has, uint64 needed) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                    errmsg("cannot learn %u words in " UINT64_FORMAT " MB", wish.words, has >> 20),
                    errhint("Raise \"maintenance_work_mem\" to " UINT64_FORMAT " MB.",
                            (needed >> 20) + 1)));
    pg_unreachable();
}

uint64 bytes_of_words(const Wish& wish, uint64 feature_count) {
    return word_training_bytes(feature_count, input_dims(wish.local.kind), kMaxFeatureDims,
                               wish.words);
}

uint64 bytes_of_components(const Wish& wish, uint32 picture_count) {
    return wish.dims == 0 ? 0 : component_training_bytes(picture_count, sums_of(wish), wish.dims);
}

Plan plan_of(const Wish& wish, const CodebookSample& sample, uint64 memory_bytes) {
    Plan plan = {};
    const uint64 numbers = map_numbers(256, kMaxFeatureDims) +
                           map_numbers(2 * kMaxFeatureDims, wish.words) +
                           2 * (sums_of(wish) + wish.words) + map_numbers(sums_of(wish), wish.dims);
    plan.result_bytes =
        sizeof(WorkerCodebookResult) + sizeof(CodebookHeader) + numbers * sizeof(float);
    const uint64 besides = 2 * sample.feature_bytes + plan.result_bytes;
    const uint64 budget = memory_bytes > besides ? memory_bytes - besides : 0;
    const uint64 wanted =
        Min(sample.feature_count, Max(wish.words * kMostFeaturesOfWord, kLeastMostFeatures));
    const uint64 least = Min(sample.feature_count, wish.words * kLeastFeaturesOfWord);
    const uint32 least_pictures = Min(sample.picture_count, 2 * wish.dims);
    const uint64 needed =
        Max(bytes_of_words(wish, least), bytes_of_components(wish, least_pictures));
    if (budget < needed) report_memory(wish, memory_bytes, besides + needed);
    plan.most_features = wanted;
    while (bytes_of_words(wish, plan.most_features) > budget)
        plan.most_features = Max(least, plan.most_features - plan.most_features / 16 - 1);
    plan.most_pictures = sample.picture_count;
    while (bytes_of_components(wish, plan.most_pictures) > budget)
        plan.most_pictures = Max(least_pictures, plan.most_pictures - plan.most_pictures / 16 - 1);
    plan.worker_bytes = Max(bytes_of_words(wish, plan.most_features),
                            bytes_of_components(wish, plan.most_pictures)) +
                        2 * plan.result_bytes;
    return plan;
}

/// Moves the local features into the shared area, which begins with where they are.
uint32 share_pictures(Worker* worker, CodebookSample* sample) {
    auto* ranges = static_cast<WorkerRange*>(worker_shared(worker));
    uint64 offset = align_in_shared_area(sample->picture_count * sizeof(WorkerRange));
    uint32 count = 0;
    for (uint32 i = 0; i < sample->count; ++i) {
        LocalValue* value = sample->chosen[i].value;
        if (value == nullptr) continue;
        const uint64 bytes = VARSIZE(value) - VARHDRSZ;
        memcpy(worker->shared + offset, value->bytes, bytes);
        ranges[count++] = {offset, bytes};
        offset += align_in_shared_area(bytes);
        pfree(value);
        sample->chosen[i].value = nullptr;
    }
    return count;
}

bytea* learn_from_pictures(const Wish& wish, CodebookSample* sample, const Plan& plan) {
    const uint64 pictures_bytes =
        align_in_shared_area(sample->picture_count * sizeof(WorkerRange)) + sample->feature_bytes;
    // One thread: sums are the same however many there could be.
    const WorkerLimits limits{.shared_bytes = Max(pictures_bytes, plan.result_bytes),
                              .thread_count = 1,
                              .memory_budget_bytes = plan.worker_bytes};
    Worker* worker = worker_start(&limits);
    const uint32 picture_count = share_pictures(worker, sample);
    const WorkerCodebookTraining training{.request = {.pictures_offset = 0,
                                                      .result_offset = 0,
                                                      .result_bytes = plan.result_bytes,
                                                      .most_features = plan.most_features,
                                                      .picture_count = picture_count,
                                                      .most_pictures = plan.most_pictures,
                                                      .word_count = wish.words,
                                                      .dims = wish.dims,
                                                      .max_features = wish.local.max_features,
                                                      .aim = static_cast<uint8>(wish.aim),
                                                      .kind = static_cast<uint8>(wish.local.kind),
                                                      .whiten = wish.whiten,
                                                      .padding = 0},
                                          .progress =
                                              [](uint64_t step, uint64_t step_count, void* told) {
                                                  tell_progress(static_cast<CodebookSample*>(told),
                                                                "learning", step, step_count);
                                              },
                                          .argument = sample};
    uint64 byte_count;
    void* bytes = worker_train_codebook(worker, &training, &byte_count);
    worker_stop(worker);
    auto* data = static_cast<bytea*>(palloc(VARHDRSZ + byte_count));
    SET_VARSIZE(data, VARHDRSZ + byte_count);
    memcpy(VARDATA(data), bytes, byte_count);
    pfree(bytes);
    return data;
}

CodebookHeader header_of(const bytea* codebook) {
    CodebookHeader header;
    memcpy(&header, VARDATA(codebook), sizeof(header));
    return header;
}

const char* options_text(const Wish& wish, const CodebookSample& sample,
                         const CodebookHeader& header) {
    return psprintf(
        "{\"kind\": \"%s\", \"features\": \"%s\", \"words\": %u, \"max_features\": %u, "
        "\"whitened\": %s, \"pictures\": %u, \"learned_from\": " UINT64_FORMAT "}",
        codebook_aim_name(wish.aim), local_kind_name(wish.local.kind), header.word_count,
        header.max_features, wish.whiten && header.is_reduced ? "true" : "false",
        sample.picture_count, sample.feature_count);
}

void tell(const Wish& wish, const CodebookSample& sample, const CodebookHeader& header) {
    StringInfoData text;
    initStringInfo(&text);
    if (sample.dropped_from != PG_UINT64_MAX)
        appendStringInfo(&text, "A sample of %u was taken.", sample.count);
    const char* left_out = left_out_text(sample);
    if (text.len > 0 && *left_out != '\0') appendStringInfoChar(&text, ' ');
    appendStringInfoString(&text, left_out);
    ereport(NOTICE, (errmsg("codebook \"%s@%d\" was learned from " UINT64_FORMAT
                            " features of %u %s: %u words, %u dimensions",
                            wish.name, wish.version, sample.feature_count, sample.picture_count,
                            sample.picture_count == 1 ? "picture" : "pictures", header.word_count,
                            header.dims),
                     text.len > 0 ? errdetail_internal("%s", text.data) : 0));
}

uint32 learn(const Wish& wish) {
    const uint64 memory_bytes = static_cast<uint64>(maintenance_work_mem) * 1024;
    CodebookSample sample = {};
    sample.wish = wish.local;
    sample.memory_bytes = memory_bytes / kFeatureShare;
    sample_pictures(wish.query, &sample);
    check_sample(wish, sample);
    bytea* codebook = learn_from_pictures(wish, &sample, plan_of(wish, sample, memory_bytes));
    const CodebookHeader header = header_of(codebook);
    add_registered(kCodebookKind, wish.name, wish.version, PointerGetDatum(codebook),
                   options_text(wish, sample, header), static_cast<int32>(header.dims));
    tell(wish, sample, header);
    return header.dims;
}

}  // namespace
}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(train_codebook) {
    const Wish wish = wish_of(fcinfo);
    PreventCommandIfReadOnly("train_codebook()");
    check_may_register();
    check_is_new(wish);
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    const uint32 dims = learn(wish);
    SPI_finish();
    PG_RETURN_INT32(static_cast<int32>(dims));
}

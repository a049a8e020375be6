#include "am/options.h"

#include <algorithm>
#include <cmath>
#include <cstring>

extern "C" {
#include "utils/guc.h"
}

namespace lookalike {
namespace {

constexpr double kDefaultRecall = 0.95;

relopt_kind option_kind;
int probes_setting = 0;
double recall_setting = 0;

relopt_enum_elt_def refine_words[] = {{"int8", static_cast<int>(Refine::kInt8)},
                                      {"half", static_cast<int>(Refine::kHalf)},
                                      {"float", static_cast<int>(Refine::kFloat)},
                                      {"none", static_cast<int>(Refine::kNone)},
                                      {nullptr, 0}};

}  // namespace

void define_options() {
    option_kind = add_reloption_kind();
    add_int_reloption(option_kind, "lists", "Number of lists, 0 for automatic", 0, 0, kMaxLists,
                      AccessExclusiveLock);
    add_enum_reloption(option_kind, "refine", "What is kept to refine estimates", refine_words,
                       static_cast<int>(Refine::kInt8),
                       "Valid values are \"int8\", \"half\", \"float\" and \"none\".",
                       AccessExclusiveLock);
    add_real_reloption(option_kind, "recall", "Recall of scans, 0 for the session's", 0, 0, 1,
                       ShareUpdateExclusiveLock);

    DefineCustomIntVariable(
        "lookalike.probes", "Lists that an index scan opens first.",
        "0 chooses by lookalike.recall. A scan goes on to more lists when it is "
        "asked for more rows.",
        &probes_setting, 0, 0, kMaxLists, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomRealVariable("lookalike.recall",
                             "Share of true nearest rows that a scan should find.",
                             "0 takes the index's own, else 0.95.", &recall_setting, 0, 0, 1,
                             PGC_USERSET, 0, nullptr, nullptr, nullptr);
#if PG_VERSION_NUM >= 150000
    MarkGUCPrefixReserved("lookalike");
#else
    EmitWarningsOnPlaceholders("lookalike");
#endif
}

bytea* parse_options(Datum reloptions, bool validate) {
    static const relopt_parse_elt table[] = {
        {"lists", RELOPT_TYPE_INT, offsetof(FaissOptions, lists)},
        {"refine", RELOPT_TYPE_ENUM, offsetof(FaissOptions, refine)},
        {"recall", RELOPT_TYPE_REAL, offsetof(FaissOptions, recall)},
    };
    return static_cast<bytea*>(build_reloptions(reloptions, validate, option_kind,
                                                sizeof(FaissOptions), table, lengthof(table)));
}

FaissOptions index_options(Relation index) {
    if (index->rd_options != nullptr) return *reinterpret_cast<FaissOptions*>(index->rd_options);
    return {0, 0, static_cast<int>(Refine::kInt8), 0};
}

double wanted_recall(const FaissOptions& options) {
    const double recall = recall_setting > 0 ? recall_setting : options.recall;
    return recall > 0 ? recall : kDefaultRecall;
}

ProbePlan probe_plan(const FaissOptions& options, const MetaPage& meta) {
    Calibration calibration;
    memcpy(&calibration, meta.calibration, sizeof calibration);
    // Every index of several lists was measured; one list needs no plan.
    ProbePlan plan =
        calibration.query_count > 0 ? ProbePlan(calibration, wanted_recall(options)) : ProbePlan(1);
    if (probes_setting > 0) plan.start_with(probes_setting);
    return plan;
}

}  // namespace lookalike

#include "am/options.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

extern "C" {
#include "utils/guc.h"
}

namespace lookalike {
namespace {

constexpr double kDefaultRecall = 0.95;

// What the option holds where nobody has set it: no WITH clause can say this.
constexpr double kNoRecall = -std::numeric_limits<double>::infinity();

relopt_kind option_kind;
int probes_setting = 0;
double recall_setting = 0;

relopt_enum_elt_def refine_words[] = {{"int8", static_cast<int>(Refine::kInt8)},
                                      {"half", static_cast<int>(Refine::kHalf)},
                                      {"float", static_cast<int>(Refine::kFloat)},
                                      {"none", static_cast<int>(Refine::kNone)},
                                      // What the grammar makes of an unquoted float.
                                      {"pg_catalog.float8", static_cast<int>(Refine::kFloat)},
                                      {nullptr, 0}};

bool is_recall(double value) {
    return value > 0 && value <= 1;
}

// From PostgreSQL 18 on there is one member more, which may stay zero.
relopt_parse_elt option_field(const char* name, relopt_type type, size_t offset) {
    relopt_parse_elt field{};
    field.optname = name;
    field.opttype = type;
    field.offset = static_cast<int>(offset);
    return field;
}

void check_recall_option(const FaissOptions& options) {
    if (options.recall == kNoRecall || is_recall(options.recall)) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid value for option \"recall\": %g", options.recall),
                    errdetail("A recall is in (0, 1]: above 0, and at most 1."),
                    errhint("For the default, leave the option out or RESET it.")));
}

// PostgreSQL's own check would name a range that includes 0.
bool check_recall_setting(double* value, void**, GucSource) {
    if (*value == 0 || is_recall(*value)) return true;
    GUC_check_errdetail("A recall is in (0, 1]: above 0, and at most 1.");
    GUC_check_errhint("RESET lookalike.recall, or 0, takes the index's own recall.");
    return false;
}

}  // namespace

void define_options() {
    option_kind = add_reloption_kind();
    add_int_reloption(option_kind, "lists", "Number of lists, 0 for automatic", 0, 0, kMaxLists,
                      AccessExclusiveLock);
    add_enum_reloption(option_kind, "refine", "What is kept to refine estimates", refine_words,
                       static_cast<int>(Refine::kInt8),
                       "Valid values are \"int8\", \"half\", \"float\" and \"none\".",
                       AccessExclusiveLock);
    add_real_reloption(option_kind, "recall", "Recall of scans, above 0 and at most 1", kNoRecall,
                       -DBL_MAX, DBL_MAX, ShareUpdateExclusiveLock);

    DefineCustomIntVariable(
        "lookalike.probes", "Lists that an index scan opens first.",
        "0 chooses by lookalike.recall. A scan goes on to more lists when it is "
        "asked for more rows.",
        &probes_setting, 0, 0, kMaxLists, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomRealVariable(
        "lookalike.recall", "Share of true nearest rows that a scan should find.",
        "In (0, 1]; 0 takes the index's own, else 0.95.", &recall_setting, 0, -DBL_MAX, DBL_MAX,
        PGC_USERSET, 0, check_recall_setting, nullptr, nullptr);
    MarkGUCPrefixReserved("lookalike");
}

bytea* parse_options(Datum reloptions, bool validate) {
    static const relopt_parse_elt table[] = {
        option_field("lists", RELOPT_TYPE_INT, offsetof(FaissOptions, lists)),
        option_field("refine", RELOPT_TYPE_ENUM, offsetof(FaissOptions, refine)),
        option_field("recall", RELOPT_TYPE_REAL, offsetof(FaissOptions, recall)),
    };
    void* options = build_reloptions(reloptions, validate, option_kind, sizeof(FaissOptions), table,
                                     lengthof(table));
    if (validate && options != nullptr) check_recall_option(*static_cast<FaissOptions*>(options));
    return static_cast<bytea*>(options);
}

FaissOptions index_options(Relation index) {
    if (index->rd_options != nullptr) return *reinterpret_cast<FaissOptions*>(index->rd_options);
    return {0, 0, static_cast<int>(Refine::kInt8), kNoRecall};
}

double wanted_recall(const FaissOptions& options) {
    const double recall = recall_setting > 0 ? recall_setting : options.recall;
    return recall > 0 ? recall : kDefaultRecall;
}

uint32 wanted_probes() {
    return static_cast<uint32>(probes_setting);
}

}  // namespace lookalike

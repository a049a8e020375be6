#include "am/scan_stats.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/guc.h"
}

#include "am/scan_rights.h"
#include "am/scan_totals.h"

namespace lookalike {
namespace {

enum LogScan : int { kLogOff, kLogDebug, kLogNotice, kLogServer };

int log_scan_setting = kLogOff;

const config_enum_entry log_scan_words[] = {{"off", kLogOff, false},
                                            {"debug", kLogDebug, false},
                                            {"notice", kLogNotice, false},
                                            {"log", kLogServer, false},
                                            {nullptr, 0, false}};

struct LastScan {
    Oid index;  // InvalidOid: this session has not scanned yet
    ScanProgress progress;
};
LastScan last_scan;

int log_level() {
    if (log_scan_setting == kLogDebug) return DEBUG1;
    return log_scan_setting == kLogNotice ? NOTICE : LOG;
}

// The client is told what its session may know, whoever owns the function that runs.
void log_scan(Relation index, const ScanProgress& progress) {
    if (log_scan_setting == kLogOff) return;
    const bool may_see = may_see_scan(RelationGetRelid(index), progress.user, GetOuterUserId());
    if (!may_see && log_scan_setting != kLogServer) return;
    const ScanCounts& counts = progress.counts;
    ereport(may_see ? log_level() : LOG_SERVER_ONLY,
            (errmsg("scan of index \"%s\": loops: " UINT64_FORMAT ", lists probed: " UINT64_FORMAT
                    " of %u, skipped: " UINT64_FORMAT ", entries scanned: " UINT64_FORMAT
                    ", filtered out: " UINT64_FORMAT ", refined: " UINT64_FORMAT
                    ", rows emitted: " UINT64_FORMAT ", stop reason: %s, time: %.3f ms",
                    RelationGetRelationName(index), counts.loops, counts.lists_probed,
                    progress.list_count, counts.lists_skipped, counts.entries_scanned,
                    counts.entries_filtered, counts.entries_refined, counts.rows_emitted,
                    stop_reason_text(progress.stop_reason), counts.milliseconds)));
}

}  // namespace

const char* stop_reason_text(StopReason reason) {
    switch (reason) {
        case StopReason::kExecutor:
            return "executor";
        case StopReason::kExhausted:
            return "exhausted";
        case StopReason::kRadius:
            return "radius";
    }
    return "";
}

void ScanCounts::add(const ScanCounts& other) {
    loops += other.loops;
    lists_probed += other.lists_probed;
    lists_skipped += other.lists_skipped;
    entries_scanned += other.entries_scanned;
    entries_filtered += other.entries_filtered;
    entries_refined += other.entries_refined;
    rows_emitted += other.rows_emitted;
    milliseconds += other.milliseconds;
}

void ScanCounts::add_search(const Search& search) {
    const LevelScan::Counters& leaf = search.leaf().counters();
    lists_probed += search.leaf().opened_count();
    lists_skipped += leaf.lists_skipped;
    entries_scanned += leaf.entries_scanned;
    entries_filtered += leaf.entries_scanned - leaf.entries_passed;
    entries_refined += leaf.entries_refined;
}

void report_scan(Relation index, ScanProgress* progress) {
    if (progress->counts.loops == 0) return;
    progress->counts.milliseconds = INSTR_TIME_GET_MILLISEC(progress->time);
    last_scan = {RelationGetRelid(index), *progress};
    add_to_totals(index, progress->counts);
    log_scan(index, *progress);
}

void define_scan_settings() {
    DefineCustomEnumVariable("lookalike.log_scan", "Tells what each scan of a faiss index did.",
                             "A line at its end: for the log as DEBUG1 or LOG, or for the client "
                             "as NOTICE.",
                             &log_scan_setting, kLogOff, log_scan_words, PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(faiss_scan_stats) {
    constexpr int kColumnCount = 11;
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE ||
        descriptor->natts != kColumnCount) {
        elog(ERROR, "return type must be the declared row type");
    }
    const ScanProgress& progress = last_scan.progress;
    if (!OidIsValid(last_scan.index) ||
        !may_see_scan(last_scan.index, progress.user, GetUserId())) {
        PG_RETURN_NULL();
    }
    const ScanCounts& counts = progress.counts;
    Datum values[kColumnCount] = {ObjectIdGetDatum(last_scan.index),
                                  Int64GetDatum(static_cast<int64>(counts.loops)),
                                  Int32GetDatum(static_cast<int32>(progress.list_count)),
                                  Int64GetDatum(static_cast<int64>(counts.lists_probed)),
                                  Int64GetDatum(static_cast<int64>(counts.lists_skipped)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_scanned)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_filtered)),
                                  Int64GetDatum(static_cast<int64>(counts.entries_refined)),
                                  Int64GetDatum(static_cast<int64>(counts.rows_emitted)),
                                  CStringGetTextDatum(stop_reason_text(progress.stop_reason)),
                                  Float8GetDatum(counts.milliseconds)};
    bool is_null[kColumnCount] = {};
    HeapTuple tuple = heap_form_tuple(BlessTupleDesc(descriptor), values, is_null);
    PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}

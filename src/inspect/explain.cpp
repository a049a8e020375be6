#include "inspect/explain.h"

#include "am/access_method.h"
#include "am/scan_rights.h"
#include "am/scan_stats.h"

extern "C" {
#include "access/relscan.h"
#include "executor/instrument.h"
}

namespace lookalike {
namespace {

// What parallel workers did is not known here: figures of the leader alone would mislead.
bool was_run_by_workers(const PlanState* node) {
    const WorkerInstrumentation* workers = node->worker_instrument;
    if (workers == nullptr) return false;
    for (int i = 0; i < workers->num_workers; ++i) {
        if (workers->instrument[i].nloops > 0) return true;
    }
    return false;
}

void show_count(const char* label, uint64 count, ExplainState* explain) {
    ExplainPropertyUInteger(label, nullptr, count, explain);
}

void show_scan(PlanState* node, ExplainState* explain) {
    if (!explain->analyze || !IsA(node, IndexScanState) || was_run_by_workers(node)) return;
    const IndexScanDesc scan = reinterpret_cast<IndexScanState*>(node)->iss_ScanDesc;
    if (scan == nullptr || scan->indexRelation->rd_indam->ambuild != build_index) return;
    const ScanProgress progress = progress_of(scan);
    const ScanCounts& counts = progress.counts;
    const Oid index = RelationGetRelid(scan->indexRelation);
    if (counts.loops == 0 || !may_see_scan(index, progress.user, GetUserId())) return;
    show_count("Lists", progress.list_count, explain);
    show_count("Lists Probed", counts.lists_probed, explain);
    show_count("Lists Skipped", counts.lists_skipped, explain);
    show_count("Entries Scanned", counts.entries_scanned, explain);
    show_count("Entries Filtered", counts.entries_filtered, explain);
    show_count("Entries Refined", counts.entries_refined, explain);
    ExplainPropertyText("Stop Reason", stop_reason_text(progress.stop_reason), explain);
}

}  // namespace

void extend_explain() {
    on_explain_of_node<show_scan>();
}

}  // namespace lookalike

// What an index scan did, for whoever asks afterwards: the log, faiss_scan_stats() and the totals.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/genam.h"
#include "portability/instr_time.h"
#include "utils/rel.h"
}

#include "core/search/search.h"

namespace lookalike {

/// Why a scan gave out no further row.
enum class StopReason {
    kExecutor,   ///< nobody asked for one: LIMIT, EXISTS, a closed cursor
    kExhausted,  ///< every row had been given out
    kRadius,     ///< all that it found within the radius had been
};

/// Sums over the loops of one scan node: each rescan that asked for a row is a loop.
struct ScanCounts {
    uint64 loops;
    uint64 lists_probed;
    uint64 lists_skipped;     ///< left unread for what their summary says; again for a wider window
    uint64 entries_scanned;   ///< an entry that a wider window looks at again counts again
    uint64 entries_filtered;  ///< of those scanned: what the index's filter threw away
    uint64 entries_refined;
    uint64 rows_emitted;
    double milliseconds;  ///< spent in the access method

    void add(const ScanCounts& other);
    void add_search(const Search& search);
};

/// What is counted while a scan runs. All zero to begin with, but for the user.
struct ScanProgress {
    ScanCounts counts;
    instr_time time;
    Oid user;                ///< who runs it: of a function, its owner
    uint32 list_count;       ///< of the index
    StopReason stop_reason;  ///< of the last loop
};

const char* stop_reason_text(StopReason reason);

/// What a scan has done so far, all but `milliseconds`; the loop that runs counts.
ScanProgress progress_of(IndexScanDesc scan);

/// A scan has ended: logs it, keeps it as the last of this session, and adds it to the totals.
/// Nothing happens where no loop has begun.
void report_scan(Relation index, ScanProgress* progress);

void define_scan_settings();

}  // namespace lookalike

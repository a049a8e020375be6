// CREATE INDEX ... WITH (...), and the settings of a session.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/reloptions.h"
#include "utils/rel.h"
}

#include "core/measure/calibrator.h"
#include "core/page/page_format.h"

namespace lookalike {

constexpr int kMaxLists = 65536;

/// What reloptions hold.
struct FaissOptions {
    int32 varlena_header;
    int lists;      ///< 0: from the number of rows
    int refine;     ///< a Refine
    double recall;  ///< not above 0: as the session says
};

/// The index's options, or the defaults.
FaissOptions index_options(Relation index);

/// The share of the nearest rows that a scan should find: the session's, the index's own, or 0.95.
double wanted_recall(const FaissOptions& options);

/// Lists that a scan opens, as settings, options and the index's own measurement say.
ProbePlan probe_plan(const FaissOptions& options, const MetaPage& meta);

/// The share of the rows within this distance of a typical one, by the same measurement; 0: it
/// never did.
double measured_share_within(const MetaPage& meta, double distance);

/// Rows that a list had on average when the index measured itself; 0: it never did.
double measured_rows_per_list(const MetaPage& meta);

void define_options();
bytea* parse_options(Datum reloptions, bool validate);

}  // namespace lookalike

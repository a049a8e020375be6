// CREATE INDEX ... WITH (...), and the settings of a session.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/reloptions.h"
#include "utils/rel.h"
}

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

/// Lists that a scan should open for its first rows, as the session says; 0: as the recall wants.
uint32 wanted_probes();

void define_options();
bytea* parse_options(Datum reloptions, bool validate);

}  // namespace lookalike

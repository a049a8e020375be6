// CREATE INDEX ... WITH (...), and the settings of a session.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/reloptions.h"
#include "utils/rel.h"
}

#include "core/refine_code.h"

namespace lookalike {

constexpr int kMaxLists = 65536;

/// What reloptions hold.
struct FaissOptions {
    int32 varlena_header;
    int lists;      ///< 0: from the number of rows
    int refine;     ///< a Refine
    double recall;  ///< 0: as the session says
};

/// The index's options, or the defaults.
FaissOptions index_options(Relation index);

/// Lists that a scan of an index with `leaf_count` lists opens first.
uint32 probes_of_scan(const FaissOptions& options, uint32 leaf_count);

void define_options();
bytea* parse_options(Datum reloptions, bool validate);

}  // namespace lookalike

// What PostgreSQL's versions tell of a collation.
#pragma once

#include "pg/server.h"

extern "C" {
#include "utils/pg_locale.h"
}

namespace lookalike {

/// Whether text under this collation sorts by its bytes.
inline bool sorts_by_bytes(Oid collation) {
#if PG_VERSION_NUM >= 180000
    return pg_newlocale_from_collation(collation)->collate_is_c;
#else
    return lc_collate_is_c(collation);
#endif
}

}  // namespace lookalike

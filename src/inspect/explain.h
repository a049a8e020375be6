// What EXPLAIN ANALYZE tells about scans of faiss indexes.
#pragma once

namespace lookalike {

/// Adds them to EXPLAIN, where PostgreSQL lets extensions do so: from version 18 on. Called by
/// _PG_init.
void extend_explain();

}  // namespace lookalike

// What CREATE INDEX is told. Its steps hand on what they have made, each in a struct of its own:
// sample.h, learn.h, assign.h, write.h, in this order.
#pragma once

#include "am/access_method.h"
#include "am/build/plan.h"
#include "am/row_entries.h"

namespace lookalike {

/// Does not change while the index is built.
struct BuildJob {
    Relation heap;
    Relation index;
    IndexInfo* info;
    uint64 list_count;  ///< as the index's options say; 0: from the number of rows
    MetaPage meta;      ///< of the index without rows; kind and dims as the type modifier says

    Metric metric() const { return meta.metric; }
};

/// How many lists so many rows should have.
inline uint64 wanted_lists(const BuildJob& job, uint64 rows) {
    return job.list_count > 0 ? job.list_count : wanted_list_count(rows);
}

}  // namespace lookalike

// The callbacks of the access method, one file each, and what they share.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
}

#include "core/code/refine_code.h"
#include "core/page/page_format.h"

namespace lookalike {

/// Classes of descriptors have a distance operator, an operator that tells whether a descriptor
/// lies in a sphere, and a function that tells the metric; classes of filter attributes have
/// btree's five comparisons and no function.
constexpr int kDistanceStrategy = 1;
constexpr int kSphereStrategy = 2;
constexpr int kMetricProcedure = 1;
constexpr int kAttributeStrategies = 5;

/// What an operator class of vectors is of. Codes of local features are compared by
/// Metric::kHamming.
struct ClassFacts {
    Metric metric;
    Content content;
    ValueType value_type;
};

/// What the function of local_features_ops tells in place of a class_number().
constexpr int32 kLocalFeaturesClass = 100;

/// What the function of a class tells.
constexpr int32 class_number(Metric metric, ValueType value_type) {
    return static_cast<int32>(value_type) << 8 | static_cast<int32>(metric);
}

/// False: no class has this number.
bool read_class_number(int32 number, ClassFacts* facts);

/// From the operator class of the index's first column.
ClassFacts class_facts(Relation index);
inline Metric metric_of(Relation index) {
    return class_facts(index).metric;
}
inline Content content_of(Relation index) {
    return class_facts(index).content;
}

/// Whether a scan looks at every entry: one list that is small enough, whose order is then exact.
inline bool is_exhaustive(uint32 depth, Refine refine, Metric metric, BlockNumber pages) {
    constexpr BlockNumber kExhaustivePages = 512;
    return depth == 1 && refine != Refine::kNone && !is_binary(metric) && pages <= kExhaustivePages;
}

IndexBuildResult* build_index(Relation heap, Relation index, IndexInfo* info);
void build_empty_index(Relation index);
bool insert_row(Relation index, Datum* values, bool* is_null, ItemPointer row, Relation heap,
                IndexUniqueCheck check_unique, bool index_unchanged, IndexInfo* info);
IndexBulkDeleteResult* delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* result,
                                   IndexBulkDeleteCallback callback, void* callback_state);
IndexBulkDeleteResult* clean_up_after_vacuum(IndexVacuumInfo* info, IndexBulkDeleteResult* result);
void estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup_cost,
                   Cost* total_cost, Selectivity* selectivity, double* correlation, double* pages);
bool validate_operator_class(Oid operator_class);
char* build_phase_name(int64 phase);
IndexScanDesc begin_scan(Relation index, int key_count, int order_by_count);
void rescan(IndexScanDesc scan, ScanKey keys, int key_count, ScanKey order_bys, int order_by_count);
bool next_row(IndexScanDesc scan, ScanDirection direction);
void end_scan(IndexScanDesc scan);

/// Phases of CREATE INDEX, after PostgreSQL's own first.
enum BuildPhase : int64 {
    kPhaseSample = 2,
    kPhaseLearn = 3,
    kPhaseAssign = 4,
    kPhaseWrite = 5,
};

}  // namespace lookalike

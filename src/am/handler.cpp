// The access method's table of properties and callbacks, and the operator classes' metrics.
#include "am/access_method.h"

extern "C" {
#include "access/reloptions.h"
#include "commands/vacuum.h"
}

#include "am/options.h"

using namespace lookalike;

SQL_FUNCTION(faiss_handler) {
    IndexAmRoutine* routine = makeNode(IndexAmRoutine);
    routine->amstrategies = kAttributeStrategies;
    routine->amsupport = kMetricProcedure;
    routine->amcanorderbyop = true;
    routine->amcanmulticol = true;
    routine->amoptionalkey = true;
    routine->amsearcharray = true;
    routine->amsearchnulls = true;
    routine->amusemaintenanceworkmem = true;
    routine->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
    routine->amkeytype = InvalidOid;
    routine->ambuild = build_index;
    routine->ambuildempty = build_empty_index;
    routine->aminsert = insert_row;
    routine->ambulkdelete = delete_rows;
    routine->amvacuumcleanup = clean_up_after_vacuum;
    routine->amcostestimate = estimate_cost;
    routine->amoptions = parse_options;
    routine->ambuildphasename = build_phase_name;
    routine->amvalidate = validate_operator_class;
    routine->ambeginscan = begin_scan;
    routine->amrescan = rescan;
    routine->amgettuple = next_row;
    routine->amendscan = end_scan;
    PG_RETURN_POINTER(routine);
}

// What the operator classes of each metric name it by.
#define METRIC_FUNCTION(metric, name, ...)                              \
    SQL_FUNCTION(faiss_##name##_metric) {                               \
        PG_RETURN_INT32(class_number(Metric::metric, ValueType::kOwn)); \
    }
LOOKALIKE_METRICS(METRIC_FUNCTION)

// Those of pgvector's types, by sql/lookalike_pgvector--1.0.sql.
#define CLASS_FUNCTION(name, metric, value_type)                              \
    SQL_FUNCTION(faiss_##name##_class) {                                      \
        PG_RETURN_INT32(class_number(Metric::metric, ValueType::value_type)); \
    }
CLASS_FUNCTION(vector_l2, kL2, kVector)
CLASS_FUNCTION(vector_ip, kInnerProduct, kVector)
CLASS_FUNCTION(vector_cosine, kCosine, kVector)
CLASS_FUNCTION(halfvec_l2, kL2, kHalfvec)
CLASS_FUNCTION(halfvec_ip, kInnerProduct, kHalfvec)
CLASS_FUNCTION(halfvec_cosine, kCosine, kHalfvec)
CLASS_FUNCTION(bit_hamming, kHamming, kBit)
CLASS_FUNCTION(bit_jaccard, kJaccard, kBit)

SQL_FUNCTION(faiss_local_features_class) {
    PG_RETURN_INT32(kLocalFeaturesClass);
}

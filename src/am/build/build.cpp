// CREATE INDEX: sample, learn, assign, write, log.
#include "am/access_method.h"

extern "C" {
#include "access/xloginsert.h"
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
}

#include "am/build/list_writer.h"
#include "am/build/write.h"
#include "am/filter/conditions.h"
#include "am/options.h"
#include "am/storage/free_pages.h"
#include "core/local/local_code.h"
#include "core/page/meta_page.h"
#include "pg/type/column_value.h"

namespace lookalike {
namespace {

constexpr uint64_t kRotationSeed = 0x6c6f6f6b616c696bull;

// What the column's type says of its values.
void describe_column(Relation index, MetaPage* meta) {
    if (meta->content == Content::kLocalFeatures) {
        meta->kind = static_cast<uint8_t>(Kind::kBit);
        meta->dims = kLocalCodeBits;
        return;
    }
    const TypeModifier modifier =
        column_typmod(meta->value_type, TupleDescAttr(index->rd_att, 0)->atttypmod);
    if (modifier.any_kind) return;
    check_metric_takes(meta->metric, modifier.kind);
    if (modifier.any_dims) return;
    meta->kind = static_cast<uint8_t>(modifier.kind);
    meta->dims = modifier.dims;
}

// The meta page of an index without rows; the steps of a build fill in the rest.
MetaPage initial_meta(Relation index) {
    MetaPage meta{};
    meta.magic = kMetaMagic;
    meta.version = kFormatVersion;
    const ClassFacts facts = class_facts(index);
    meta.metric = facts.metric;
    meta.content = facts.content;
    meta.value_type = facts.value_type;
    meta.kind = 0xff;
    describe_column(index, &meta);
    describe_attributes(index, &meta);
    meta.refine = static_cast<Refine>(index_options(index).refine);
    meta.list_option = static_cast<uint32>(index_options(index).lists);
    meta.depth = 1;
    meta.leaf_count = 1;
    meta.rotation_seed = kRotationSeed;
    meta.build_id = 1;
    return meta;
}

MetaPage finished_meta(MetaPage meta, const RowSample& sample, const Calibration& calibration) {
    meta.built_rows = sample.rows_seen;
    meta.local_kind = sample.local_kind;
    set_calibration(&meta, calibration);
    if (sample.dims > 0) {
        meta.dims = sample.dims;
        meta.kind = static_cast<uint8_t>(sample.kind);
    }
    return meta;
}

// What the operator class of the first column says.
int32 number_of_class(Relation index) {
    if (!OidIsValid(index_getprocid(index, 1, kMetricProcedure))) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                 errmsg("the first column of a faiss index must be a descriptor or local features"),
                 errhint("Name it first and filter attributes after it.")));
    }
    // Values are read as what the extension's types are; a class that somebody made may be of
    // another.
    if (get_typlen(index->rd_opcintype[0]) != -1) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                 errmsg("the operator class of index \"%s\" is of type %s, which a faiss index "
                        "cannot hold",
                        RelationGetRelationName(index), format_type_be(index->rd_opcintype[0]))));
    }
    FmgrInfo* procedure = index_getprocinfo(index, 1, kMetricProcedure);
    return DatumGetInt32(FunctionCall0Coll(procedure, InvalidOid));
}

}  // namespace

bool read_class_number(int32 number, ClassFacts* facts) {
    if (number == kLocalFeaturesClass) {
        *facts = {Metric::kHamming, Content::kLocalFeatures, ValueType::kOwn};
        return true;
    }
    const int32 metric = number & 0xff;
    const int32 value_type = number >> 8;
    if (metric >= static_cast<int32>(kMetricCount) || value_type < 0 ||
        value_type > static_cast<int32>(ValueType::kBit)) {
        return false;
    }
    *facts = {static_cast<Metric>(metric), Content::kDescriptors,
              static_cast<ValueType>(value_type)};
    return facts->value_type == ValueType::kOwn ||
           (facts->value_type == ValueType::kBit) == is_binary(facts->metric);
}

ClassFacts class_facts(Relation index) {
    ClassFacts facts;
    if (!read_class_number(number_of_class(index), &facts)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                        errmsg("operator class of index \"%s\" names an unknown metric",
                               RelationGetRelationName(index))));
    }
    return facts;
}

IndexBuildResult* build_index(Relation heap, Relation index, IndexInfo* info) {
    if (RelationGetNumberOfBlocks(index) != 0) {
        elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
    }
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss build", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const BuildJob job{.heap = heap,
                       .index = index,
                       .info = info,
                       .list_count = static_cast<uint64>(index_options(index).lists),
                       .meta = initial_meta(index)};
    // TRUNCATE builds a table of its own transaction again in the same file.
    forget_index(index);
    UnlockReleaseBuffer(add_built_page(index, PageKind::kMeta, 0, kNoBlock));

    RowSample sample = sample_rows(job);
    LearnedLists lists = learn_lists(job, &sample);
    const AssignedRows rows = assign_rows(job, &lists, sample.rows_seen);
    MetaPage meta = job.meta;
    write_lists(index, lists, rows.entries, &meta);
    write_meta(index, finished_meta(meta, sample, rows.calibration));
    extend_free_space_map(index);
    if (RelationNeedsWAL(index)) {
        log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
    }

    MemoryContextSwitchTo(previous);
    auto* result = static_cast<IndexBuildResult*>(palloc(sizeof(IndexBuildResult)));
    result->heap_tuples = rows.heap_rows;
    result->index_tuples = rows.indexed_rows;
    MemoryContextDelete(context);
    return result;
}

// The init fork of an unlogged index: what recovery copies over the main fork.
void build_empty_index(Relation index) {
    MetaPage meta = initial_meta(index);
    meta.null_list = 1;
    meta.nan_list = 2;
    meta.root_list = 3;
    seal(&meta);
    for (BlockNumber block = 0; block <= 3; ++block) {
        const Buffer buffer = ReadBufferExtended(index, INIT_FORKNUM, P_NEW, RBM_NORMAL, nullptr);
        LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
        START_CRIT_SECTION();
        make_page(buffer_bytes(buffer), block == 0 ? PageKind::kMeta : PageKind::kList, block,
                  kNoBlock);
        if (block == 0) memcpy(page_body(buffer_bytes(buffer)), &meta, sizeof meta);
        MarkBufferDirty(buffer);
        log_newpage_buffer(buffer, false);
        END_CRIT_SECTION();
        UnlockReleaseBuffer(buffer);
    }
}

char* build_phase_name(int64 phase) {
    switch (phase) {
        case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
            return pstrdup("initializing");
        case kPhaseSample:
            return pstrdup("sampling rows");
        case kPhaseLearn:
            return pstrdup("learning lists");
        case kPhaseAssign:
            return pstrdup("assigning rows");
        case kPhaseWrite:
            return pstrdup("writing lists");
        default:
            return nullptr;
    }
}

}  // namespace lookalike

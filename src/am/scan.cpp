// Index scans: rows in the order of their distance, then the rows that have none; or the rows of a
// sphere.
#include "am/access_method.h"

extern "C" {
#include "access/relscan.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

#include <cmath>

#include "am/filter/conditions.h"
#include "am/local/vote_scan.h"
#include "am/options.h"
#include "am/row_entries.h"
#include "am/scan_stats.h"
#include "am/storage/reader.h"
#include "am/storage/row_distance.h"
#include "am/storage/row_prefetch.h"
#include "am/storage/row_walk.h"
#include "pg/local/value.h"
#include "pg/run_core.h"
#include "pg/type/column_value.h"

namespace lookalike {
namespace {

enum class Stage { kStart, kSearch, kVotes, kNoDirection, kNull, kEverything, kDone };

struct ScanState {
    MemoryContext context;  // of one rescan
    MetaPage meta;
    Stage stage;
    Conditions conditions;
    bool ends_at_radius;  // of kSearch: what lies beyond the sphere is not wanted
    bool has_distances;   // of kEverything: NaN for every row, as none is NULL
    bool measures_badly;  // the operator, the query: it may say less than a bound
    Reader* reader;
    VoteScan* votes;          // of local features
    RowWalk walk;             // of stages without a search
    BlockNumber heap_blocks;  // as last known
    RowPrefetcher prefetcher;
    RowDistance row_distance;
    ScanProgress progress;
};

ScanState* state_of(IndexScanDesc scan) {
    return static_cast<ScanState*>(scan->opaque);
}

void give_row(IndexScanDesc scan, EntryPointer pointer, double distance, bool is_null) {
    check_pointer(scan, pointer, &state_of(scan)->heap_blocks);
    ItemPointerSet(&scan->xs_heaptid, pointer.block(), pointer.offset);
    if (scan->numberOfOrderBys == 0) return;
    scan->xs_orderbyvals[0] = Float8GetDatum(distance);
    scan->xs_orderbynulls[0] = is_null;
}

// While the executor looks at this row, the next may come: nearly always one of these.
void prefetch_rows(IndexScanDesc scan) {
    constexpr size_t kRowsAhead = 3;
    ScanState* state = state_of(scan);
    const std::span<const FoundEntry> found = state->reader->search->leaf().found();
    for (const FoundEntry& entry : found.first(std::min(found.size(), kRowsAhead))) {
        if (entry.pointer.block() < state->heap_blocks)
            state->prefetcher.expect(scan->heapRelation, entry.pointer);
    }
}

// Rows without a descriptor come last, if they are wanted.
void start_null_rows(ScanState* state) {
    if (state->conditions.no_null_features) {
        state->stage = Stage::kDone;
    } else {
        state->stage = Stage::kNull;
        walk_list(&state->walk, state->meta.null_list);
    }
}

// Without an order, or where no row has a number for a distance, rows come as they lie.
void start_everything(IndexScanDesc scan, ScanState* state, bool has_distances) {
    if (state->meta.content == Content::kLocalFeatures) {
        // One list has an entry of each row.
        state->stage = Stage::kNoDirection;
        walk_list(&state->walk, state->meta.nan_list);
        return;
    }
    state->stage = Stage::kEverything;
    state->has_distances = has_distances;
    // Where others have distances, rows that are NULL come later.
    walk_file(&state->walk, scan->indexRelation, state->meta,
              has_distances ? state->meta.null_list : BlockNumber{kNoBlock});
}

// An entry's scan code may hide it: so a sphere that is to be complete looks behind all of them.
bool looks_at_everything(IndexScanDesc scan, const ScanState* state, const LoadedIndex& loaded,
                         const FaissOptions& options) {
    if (is_binary(loaded.shape.metric)) return false;
    if (state->ends_at_radius && wanted_recall(options) >= 1) return true;
    // To ask for the size is a system call.
    return loaded.shape.depth == 1 &&
           is_exhaustive(loaded.shape.depth, loaded.shape.refine, loaded.shape.metric,
                         RelationGetNumberOfBlocks(scan->indexRelation));
}

bool has_same_bytes(const void* a, const void* b) {
    return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

bool is_same_vector(const DescriptorView& a, const DescriptorView& b) {
    return a.kind == b.kind && a.dims == b.dims &&
           memcmp(a.data, b.data, element_bytes(a.kind, a.dims)) == 0;
}

// The operator of the scan's order, or where it has none, that of the index's class.
void find_distance_function(IndexScanDesc scan, RowDistance* measure) {
    if (scan->numberOfOrderBys > 0) {
        measure->function = &scan->orderByData[0].sk_func;
        measure->collation = scan->orderByData[0].sk_collation;
        return;
    }
    const Relation index = scan->indexRelation;
    const Oid type = index->rd_opcintype[0];
    const Oid distance = get_opfamily_member(index->rd_opfamily[0], type, type, kDistanceStrategy);
    if (!OidIsValid(distance)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                        errmsg("the operator class of index \"%s\" lacks its distance operator",
                               RelationGetRelationName(index))));
    }
    auto* function = static_cast<FmgrInfo*>(palloc(sizeof(FmgrInfo)));
    fmgr_info(get_opcode(distance), function);
    measure->function = function;
    measure->collation = InvalidOid;
}

void start_votes(IndexScanDesc scan, ScanState* state, const LoadedIndex& loaded, Datum center) {
    const Relation index = scan->indexRelation;
    LocalValue* query = checked_local_value(center);
    state->row_distance.query = PointerGetDatum(query);
    state->ends_at_radius =
        state->conditions.has_sphere &&
        has_same_bytes(query, checked_local_value(state->conditions.sphere.center));
    const LocalFeatures features = query->view();
    if (loaded.meta.local_kind != 0) check_local_kind(loaded.meta, features.kind());
    keep_root(index, &loaded);
    const double recall = wanted_recall(index_options(index));
    state->votes =
        begin_vote_scan(index, loaded, features,
                        {.filter = state->conditions.filter,
                         .effort = vote_effort(recall, wanted_probes()),
                         .compares_all = recall >= 1,
                         .radius = state->ends_at_radius ? state->conditions.sphere.radius
                                                         : std::numeric_limits<double>::infinity(),
                         .memory_bytes = static_cast<size_t>(work_mem) * 1024});
    state->stage = Stage::kVotes;
}

// No distance but the negative inner product is below zero.
bool is_empty(Metric metric, const Sphere& sphere) {
    return metric == Metric::kInnerProduct ? sphere.radius == -get_float8_infinity()
                                           : sphere.radius < 0;
}

// Else it gives distances, or estimates that stand for them.
bool gives_bounds(const MetaPage& meta) {
    return is_binary(meta.metric) ? meta.metric == Metric::kJaccard : meta.refine != Refine::kNone;
}

void start_search(IndexScanDesc scan, ScanState* state) {
    const ScanKey order = &scan->orderByData[0];
    const LoadedIndex* loaded = load_index(scan->indexRelation);
    state->meta = loaded->meta;
    state->conditions = read_conditions(scan->indexRelation, attribute_widths(state->meta),
                                        scan->keyData, scan->numberOfKeys);
    if (state->conditions.nothing ||
        (state->conditions.has_sphere && is_empty(state->meta.metric, state->conditions.sphere))) {
        state->stage = Stage::kDone;
        return;
    }
    if (state->conditions.only_null_features) {
        start_null_rows(state);
        return;
    }
    const bool is_ordered = scan->numberOfOrderBys > 0;
    if (is_ordered ? (order->sk_flags & SK_ISNULL) != 0 : !state->conditions.has_sphere) {
        start_everything(scan, state, false);
        return;
    }
    find_distance_function(scan, &state->row_distance);
    const Datum center_value = is_ordered ? order->sk_argument : state->conditions.sphere.center;
    if (loaded->meta.content == Content::kLocalFeatures)
        return start_votes(scan, state, *loaded, center_value);
    const ValueType value_type = state->meta.value_type;
    const ColumnValue center = read_column_value(value_type, center_value);
    const DescriptorView& query = center.vector;
    state->row_distance.query = center.value;
    state->measures_badly = value_type == ValueType::kVector && !is_measured_well(query);
    state->ends_at_radius =
        state->conditions.has_sphere &&
        is_same_vector(query,
                       read_column_value(value_type, state->conditions.sphere.center).vector);
    if (!loaded->knows_dims()) {
        start_null_rows(state);
        return;
    }
    check_value_fits(scan->indexRelation, *loaded, query);
    if (needs_direction(state->meta.metric) && has_no_direction(query)) {
        if (state->ends_at_radius) {
            state->stage = Stage::kDone;
            return;
        }
        start_everything(scan, state, true);
        return;
    }
    keep_root(scan->indexRelation, loaded);
    const FaissOptions options = index_options(scan->indexRelation);
    state->reader =
        make_reader(scan->indexRelation, *loaded, query,
                    {.probes = probe_plan(loaded->meta, wanted_recall(options), wanted_probes()),
                     .target_level = 0,
                     .exhaustive = looks_at_everything(scan, state, *loaded, options),
                     .memory_bytes = static_cast<size_t>(work_mem) * 1024,
                     .keeps_order = wanted_recall(options) >= 1,
                     .rows_per_list = rows_per_list(calibration_of(loaded->meta)),
                     .filter = state->conditions.filter,
                     .radius = state->ends_at_radius ? state->conditions.sphere.radius
                                                     : std::numeric_limits<double>::infinity(),
                     .measures_ties = is_ordered && gives_bounds(state->meta)});
    state->stage = Stage::kSearch;
}

// A row that is compared counts as refined.
void add_votes(const VoteScan& votes, ScanCounts* counts) {
    counts->entries_refined += votes.compared_count;
    if (votes.search == nullptr) return;
    const VoteSearch::Counters& counters = votes.search->counters();
    counts->lists_probed += votes.lists_read;
    counts->lists_skipped += counters.lists_skipped;
    counts->entries_scanned += counters.entries_scanned;
    counts->entries_filtered += counters.entries_scanned - counters.entries_passed;
}

// With the loop that runs, if one has begun.
ScanProgress progress_with_loop(const ScanState* state) {
    ScanProgress progress = state->progress;
    if (state->stage == Stage::kStart) return progress;
    ++progress.counts.loops;
    progress.list_count = state->meta.leaf_count;
    progress.stop_reason = state->stage != Stage::kDone ? StopReason::kExecutor
                           : state->ends_at_radius      ? StopReason::kRadius
                                                        : StopReason::kExhausted;
    if (state->reader != nullptr) progress.counts.add_search(*state->reader->search);
    if (state->votes != nullptr) add_votes(*state->votes, &progress.counts);
    return progress;
}

// Takes what the search has counted before it goes.
void end_loop(ScanState* state) {
    state->progress = progress_with_loop(state);
    state->stage = Stage::kStart;
}

// What the operator makes of a row must not be below its bound. pgvector's adds in floats, where
// small parts vanish and large ones have no end.
double safe_bound(const MetaPage& meta, double bound) {
    constexpr double kVanishing = 1e-15;
    constexpr double kEndless = 1e30;
    if (meta.value_type != ValueType::kVector || needs_direction(meta.metric)) return bound;
    return bound < -kEndless ? -get_float8_infinity() : bound - kVanishing;
}

// The next row that the search finds.
bool next_of_search(IndexScanDesc scan, ScanState* state) {
    SearchStep step = next_step(state->reader);
    for (; step.what == SearchStep::What::kMeasure; step = next_step(state->reader)) {
        CHECK_FOR_INTERRUPTS();
        double distance;
        const bool found = measure_row(&state->row_distance, scan, step.found.pointer, &distance);
        run_core(
            [&] { found ? step.level->push_distance(distance) : step.level->drop_measured(); });
    }
    if (step.what == SearchStep::What::kDone) return false;
    const FoundEntry& entry = step.found;
    give_row(scan, entry.pointer,
             entry.is_exact ? entry.distance : safe_bound(state->meta, entry.distance), false);
    prefetch_rows(scan);
    // A bound is no distance.
    scan->xs_recheck = state->conditions.recheck(0);
    scan->xs_recheckorderby =
        scan->numberOfOrderBys > 0 && !entry.is_exact && !state->measures_badly &&
        (state->meta.refine != Refine::kNone || is_binary(state->meta.metric));
    return true;
}

// The next row that has something in common with the query; its distance is known.
bool next_of_votes(IndexScanDesc scan, ScanState* state) {
    ComparedRow row;
    if (!next_voted_row(state->votes, scan, &state->row_distance, &state->prefetcher, &row))
        return false;
    give_row(scan, row_place(row.row), row.distance, false);
    scan->xs_recheck =
        state->votes->search == nullptr || state->conditions.recheck(state->ends_at_radius ? 1 : 0);
    scan->xs_recheckorderby = false;
    return true;
}

// The distance of rows that votes do not find.
constexpr double kNothingInCommon = 1;

void end_votes(ScanState* state) {
    if (state->ends_at_radius && state->conditions.sphere.radius < kNothingInCommon) {
        state->stage = Stage::kDone;
        return;
    }
    state->stage = Stage::kNoDirection;
    walk_list(&state->walk, state->meta.nan_list);
}

bool next_unsearched(IndexScanDesc scan, ScanState* state) {
    EntryPointer pointer;
    do {
        if (!next_of_walk(&state->walk, scan->indexRelation, state->meta, &pointer)) return false;
    } while (state->votes != nullptr && state->stage == Stage::kNoDirection &&
             was_given(state->votes, pointer));
    const bool is_null = state->stage == Stage::kNull ||
                         (state->stage == Stage::kEverything && !state->has_distances);
    give_row(scan, pointer, state->votes == nullptr ? get_float8_nan() : kNothingInCommon, is_null);
    // These pages are not filtered.
    scan->xs_recheck = scan->numberOfKeys > 0;
    scan->xs_recheckorderby = false;
    return true;
}

}  // namespace

IndexScanDesc begin_scan(Relation index, int key_count, int order_by_count) {
    IndexScanDesc scan = RelationGetIndexScan(index, key_count, order_by_count);
    auto* state = static_cast<ScanState*>(palloc0(sizeof(ScanState)));
    state->context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss index scan", ALLOCSET_DEFAULT_SIZES);
    state->progress.user = GetUserId();
    state->walk = make_row_walk();
    if (order_by_count > 0) {
        scan->xs_orderbyvals = static_cast<Datum*>(palloc0(sizeof(Datum)));
        scan->xs_orderbynulls = static_cast<bool*>(palloc(sizeof(bool)));
    }
    scan->opaque = state;
    return scan;
}

void rescan(IndexScanDesc scan, ScanKey keys, int, ScanKey order_bys, int) {
    ScanState* state = state_of(scan);
    end_loop(state);
    end_measuring(&state->row_distance);
    MemoryContextReset(state->context);
    state->reader = nullptr;
    state->votes = nullptr;
    if (keys != nullptr && scan->numberOfKeys > 0) {
        memmove(scan->keyData, keys, sizeof(ScanKeyData) * static_cast<size_t>(scan->numberOfKeys));
    }
    if (order_bys != nullptr && scan->numberOfOrderBys > 0) {
        memmove(scan->orderByData, order_bys, sizeof(ScanKeyData));
    }
}

bool next_row(IndexScanDesc scan, ScanDirection) {
    ScanState* state = state_of(scan);
    if (!IsMVCCSnapshot(scan->xs_snapshot)) {
        // Between calls a scan holds no pin, so only a snapshot keeps a row's place from being
        // given to another row.
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("a faiss index can only be scanned with an MVCC snapshot")));
    }
    instr_time start;
    INSTR_TIME_SET_CURRENT(start);
    const MemoryContext previous = MemoryContextSwitchTo(state->context);
    bool found = false;
    while (!found && state->stage != Stage::kDone) {
        switch (state->stage) {
            case Stage::kStart:
                count_index_search(scan);
                start_search(scan, state);
                break;
            case Stage::kSearch:
                found = next_of_search(scan, state);
                if (found) break;
                if (state->ends_at_radius) {
                    state->stage = Stage::kDone;
                } else {
                    state->stage = Stage::kNoDirection;
                    walk_list(&state->walk, state->meta.nan_list);
                }
                break;
            case Stage::kVotes:
                found = next_of_votes(scan, state);
                if (!found) end_votes(state);
                break;
            case Stage::kNoDirection:
                found = next_unsearched(scan, state);
                if (!found) start_null_rows(state);
                break;
            case Stage::kEverything:
                found = next_unsearched(scan, state);
                if (found) break;
                if (state->has_distances) {
                    start_null_rows(state);
                } else {
                    state->stage = Stage::kDone;
                }
                break;
            case Stage::kNull:
                found = next_unsearched(scan, state);
                if (!found) state->stage = Stage::kDone;
                break;
            case Stage::kDone:
                break;
        }
    }
    MemoryContextSwitchTo(previous);
    if (found) ++state->progress.counts.rows_emitted;
    instr_time end;
    INSTR_TIME_SET_CURRENT(end);
    INSTR_TIME_ACCUM_DIFF(state->progress.time, end, start);
    return found;
}

ScanProgress progress_of(IndexScanDesc scan) {
    return progress_with_loop(state_of(scan));
}

void end_scan(IndexScanDesc scan) {
    ScanState* state = state_of(scan);
    end_loop(state);
    end_measuring(&state->row_distance);
    report_scan(scan->indexRelation, &state->progress);
    MemoryContextDelete(state->context);
}

}  // namespace lookalike

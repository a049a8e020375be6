#include "am/upkeep/remeasure.h"

extern "C" {
#include "commands/vacuum.h"
#include "utils/memutils.h"
}

#include <algorithm>

#include "am/build/plan.h"
#include "am/storage/tree.h"
#include "am/upkeep/measuring.h"
#include "am/upkeep/measuring_turn.h"
#include "am/upkeep/named_point.h"
#include "core/code/entry_encoder.h"
#include "core/page/meta_page.h"

namespace lookalike {
namespace {

// It is to be done when so much of the rows have come again to the backend that is at it: the lists
// must not be given back before (retired.cpp), and others insert, too. They leave it to that one,
// unless so many times as many have come to them: it may insert nothing more.
constexpr double kGrowthMeanwhile = 1.0 / 200;
constexpr double kTurnsToWait = 4;
// Where many others split lists meanwhile: each time that its lists have gone it hurries twice as
// much, so often at most.
constexpr uint32 kMostHaste = 6;
// And it is due when so many rows have come to lists that stay.
constexpr double kGrowthToMeasure = 1.0 / 2;
constexpr uint32 kStretch = 5;          // milliseconds
constexpr uint32 kStretchOfFirst = 10;  // while nothing has been measured
constexpr uint32 kStretchOfVacuum = 20;
constexpr uint64 kSeed = 20150602;
// Some of the entries that were drawn as queries are gone when they ask.
constexpr double kEnoughQueries = 0.8;

// A measuring that has begun in this backend.
struct Begun {
    RelationFile file;  // 0: none
    uint64 last_use;
    uint64 rows;           // that were inserted since the last stretch
    uint64 measured_rows;  // that the index had when it was measured last
    uint64 rows_since;     // that this backend has inserted since
    uint64 rows_waited;    // and while another's turn was waited for
    uint32 gone;           // times that its lists had gone before it was done
    MeasuringTurn turn;
    MemoryContext context;  // null: not begun
    TreeLists lists;
    Measuring* measuring;
};

constexpr int kMostBegun = 16;  // as load_index() knows
Begun begun[kMostBegun];
uint64 use_counter = 0;

void forget(Begun* entry) {
    if (entry->context != nullptr) MemoryContextDelete(entry->context);
    entry->context = nullptr;
    entry->measuring = nullptr;
    give_back(&entry->turn);
}

Begun* begun_for(Relation index) {
    Begun* oldest = &begun[0];
    for (Begun& entry : begun) {
        if (entry.file == relation_file(index)) {
            entry.last_use = ++use_counter;
            return &entry;
        }
        if (entry.last_use < oldest->last_use) oldest = &entry;
    }
    forget(oldest);
    *oldest = Begun{};
    oldest->file = relation_file(index);
    oldest->last_use = ++use_counter;
    return oldest;
}

// Lists have about as many entries as there are lists.
uint64 expected_rows(const LoadedIndex& loaded) {
    const uint64 lists = loaded.meta.leaf_count;
    const uint64_t measured = calibration_of(loaded.meta).row_count;
    return std::max({loaded.meta.built_rows, measured, lists * lists, kRowsOfOneList});
}

QueryCounts queries_in_passing(const LoadedIndex& loaded, uint64 list_count) {
    return upkeep_query_counts(entry_vector_bytes(loaded.shape), expected_rows(loaded), list_count);
}

// As many as a build has: by fewer, an index opens more lists than it must.
QueryCounts queries_at_once(const LoadedIndex& loaded) {
    const uint64 list_count = loaded.meta.leaf_count;
    const QueryCounts few = queries_in_passing(loaded, list_count);
    const QueryCounts many =
        build_budget().query_counts(expected_rows(loaded), loaded.shape.code_dims, list_count);
    return {.all_rows = std::max(few.all_rows, many.all_rows),
            .near_lists = std::max(few.near_lists, many.near_lists)};
}

void begin(Begun* entry, Relation index, const LoadedIndex& loaded, const QueryCounts& queries) {
    const MemoryContext context =
        AllocSetContextCreate(TopMemoryContext, "faiss measuring", ALLOCSET_DEFAULT_SIZES);
    entry->context = context;
    const MemoryContext previous = MemoryContextSwitchTo(context);
    entry->lists = read_tree_lists(index, loaded);
    const MeasuringPlan plan{.queries = queries, .seed = kSeed};
    entry->measuring = begin_measuring(loaded, entry->lists, plan, context);
    MemoryContextSwitchTo(previous);
}

// Of fewer rows than lists hardly any has another in its list: what was measured before, of more
// rows, says more. Nothing measured says less.
bool is_worth_keeping(const Calibration& calibration, const LoadedIndex& loaded) {
    if (calibration.query_count == 0) return false;
    return calibration.row_count >= loaded.meta.leaf_count ||
           calibration_of(loaded.meta).query_count == 0;
}

// True: it has come to an end, one or the other.
bool go_on(Begun* entry, Relation index, const LoadedIndex& loaded, uint64 most_distances) {
    // Should it fail, nothing of it is used again.
    Measuring* measuring = entry->measuring;
    entry->measuring = nullptr;
    const MeasuringState state = go_on_measuring(measuring, index, loaded, most_distances);
    if (state == MeasuringState::kMore) {
        entry->measuring = measuring;
        return false;
    }
    if (state == MeasuringState::kDone) {
        const Calibration calibration = end_measuring(measuring);
        if (is_worth_keeping(calibration, loaded)) write_calibration(index, calibration);
        ereport(DEBUG1, (errmsg_internal("index \"%s\": measured %u lists and " UINT64_FORMAT
                                         " rows by %u queries",
                                         RelationGetRelationName(index), calibration.list_count,
                                         calibration.row_count, calibration.query_count)));
    }
    if (state == MeasuringState::kGone) entry->gone = Min(entry->gone + 1, kMostHaste);
    forget(entry);
    return true;
}

}  // namespace

bool are_queries_few(const LoadedIndex& loaded) {
    const Calibration calibration = calibration_of(loaded.meta);
    const QueryCounts wanted = queries_at_once(loaded);
    const uint32 asked = calibration.full_query_count;
    // Where rows are fewer than queries, all rows have asked.
    return asked > 0 && asked < kEnoughQueries * static_cast<double>(wanted.all_rows) &&
           calibration.row_count > wanted.sum();
}

bool is_measuring_due(const LoadedIndex& loaded, uint32 part) {
    const uint32 lists = loaded.meta.leaf_count;
    if (lists <= 1) return false;
    const Calibration calibration = calibration_of(loaded.meta);
    if (calibration.query_count == 0) return true;
    const uint32 measured = calibration.list_count;
    return Max(lists, measured) - Min(lists, measured) > measured / part;
}

namespace {

// Rows that must be fetched are measured once, when there are few; faiss_index_calibrate() reads
// the table as it lies.
void measure_rows(Relation index, Relation table, const LoadedIndex& loaded) {
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss measuring", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    RowVectors* rows = begin_row_vectors(table, index, loaded);
    const TreeLists lists = read_tree_lists(index, loaded);
    const MeasuringPlan plan{
        .queries = queries_in_passing(loaded, lists.count), .seed = kSeed, .rows = rows};
    Measuring* measuring = begin_measuring(loaded, lists, plan, context);
    if (go_on_measuring(measuring, index, loaded, uint64{PG_INT64_MAX}) == MeasuringState::kDone) {
        const Calibration calibration = end_measuring(measuring);
        if (calibration.query_count > 0) write_calibration(index, calibration);
    }
    end_row_vectors(rows);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
}

}  // namespace

void measure_beside_insert(Relation index, Relation table, const LoadedIndex& loaded) {
    if (loaded.meta.leaf_count <= 1 || loaded.meta.content != Content::kDescriptors) return;
    const Calibration calibration = calibration_of(loaded.meta);
    const bool is_first = calibration.query_count == 0;
    if (!can_measure_entries(loaded)) {
        if (is_first && can_fetch_rows(table, index)) measure_rows(index, table, loaded);
        return;
    }
    Begun* entry = begun_for(index);
    if (entry->measured_rows != calibration.row_count) {
        // Somebody has measured it.
        entry->measured_rows = calibration.row_count;
        entry->rows_since = 0;
        entry->rows_waited = 0;
        entry->gone = 0;
        forget(entry);
    }
    const bool has_grown = static_cast<double>(++entry->rows_since) >
                           kGrowthToMeasure * static_cast<double>(calibration.row_count);
    if (!has_grown && !is_measuring_due(loaded)) return;
    // So many distances for each row that comes make an end of all of them in time.
    const uint64 rows = expected_rows(loaded);
    const QueryCounts queries = queries_in_passing(loaded, loaded.meta.leaf_count);
    const double all = distances_of_all(loaded, queries, rows);
    const double rows_meanwhile =
        kGrowthMeanwhile * static_cast<double>(rows) / static_cast<double>(1u << entry->gone);
    const double due = all / rows_meanwhile * static_cast<double>(++entry->rows);
    if (!is_first && due < static_cast<double>(distances_within(loaded.shape, kStretch))) return;
    entry->rows_waited += entry->rows;
    entry->rows = 0;
    if (entry->measuring == nullptr) {
        forget(entry);
        if (!take_turn(&entry->turn, index) &&
            static_cast<double>(entry->rows_waited) < kTurnsToWait * rows_meanwhile)
            return;
        begin(entry, index, loaded, queries);
    }
    // A statement that is cancelled loses what it has begun: the first time, too, goes by
    // stretches.
    go_on(entry, index, loaded,
          is_first ? distances_within(loaded.shape, kStretchOfFirst) : static_cast<uint64>(due));
}

void measure_now(Relation index) {
    const LoadedIndex* loaded = load_index(index);
    if (loaded->meta.depth == 1 || !can_measure_entries(*loaded)) return;
    Begun* entry = begun_for(index);
    forget(entry);
    // VACUUM's snapshot keeps nothing in the root: a split takes out what it has given back.
    lock_tree(index);
    loaded = load_index(index);
    begin(entry, index, *loaded, queries_at_once(*loaded));
    unlock_tree(index);
    const uint64 stretch = distances_within(loaded->shape, kStretchOfVacuum);
    while (!go_on(entry, index, *load_index(index), stretch))
        vacuum_pause();
}

void write_calibration(Relation index, const Calibration& calibration) {
    named_point("measured");
    const Buffer buffer = lock_page(index, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    check_page(index, buffer, PageKind::kMeta);
    PageChange change(index);
    auto* meta = reinterpret_cast<MetaPage*>(page_body(change.add(buffer)));
    if (const char* fault = meta_fault(*meta)) raise_corrupted(index, kMetaBlock, fault);
    set_calibration(meta, calibration);
    seal(meta);
    change.finish();
    UnlockReleaseBuffer(buffer);
    named_point("calibration");
}

}  // namespace lookalike

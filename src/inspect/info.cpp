// faiss_index_info: what an index consists of, and whether a rebuild would help.
//
// One pass over the pages in the order of the file, beside writers: the counts are of a moment in
// time only page by page.
#include "am/access_method.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/hsearch.h"
}

#include <algorithm>

#include "am/build/plan.h"
#include "am/options.h"
#include "am/storage/loaded_index.h"
#include "am/storage/tree.h"
#include "am/upkeep/row_vectors.h"
#include "core/local/local_features.h"
#include "core/split/list_parts.h"
#include "inspect/rights.h"

using namespace lookalike;

namespace {

struct ListSize {
    BlockNumber list_id;  // the key
    uint32 entries;
};

struct Totals {
    MetaPage meta;
    ListGeometry geometries[2];
    ListGeometry plain;
    uint64 pages_of_kind[8];
    uint64 entries;
    uint64 dead_entries;
    uint64 free_places;
    ListNumbers tree;  // the lists in it
    uint32 retired_lists;
    uint64 retired_pages;
    HTAB* lists;  // ListSize of every leaf list
    uint64 smallest_list;
    uint64 median_list;
    uint64 largest_list;
};

void count_list_page(Totals* totals, Relation index, Buffer buffer) {
    const uint8_t* page = buffer_bytes(buffer);
    const BlockNumber list_id = page_trailer(page)->list_id;
    const MetaPage& meta = totals->meta;
    const bool is_plain = list_id == meta.null_list || list_id == meta.nan_list;
    const bool is_inner = !is_plain && list_level(page) > 0;
    const ListGeometry& geometry = is_plain ? totals->plain : totals->geometries[is_inner];
    check_list_page(index, buffer, geometry);
    if (is_inner) return;
    const ListPageView view(geometry, page);
    const uint32 live = view.live_count();
    uint32 dead = 0;
    for (uint32 i = 0; i < view.entry_places(); ++i) {
        // VACUUM leaves an entry's bytes, so that a place never used is told from one set free.
        if (!view.is_live(i) && view.pointer(i).offset != 0) ++dead;
    }
    totals->entries += live;
    totals->dead_entries += dead;
    totals->free_places += geometry.max_entries - live - dead;
    if (is_plain) return;
    bool found;
    auto* list = static_cast<ListSize*>(hash_search(totals->lists, &list_id, HASH_ENTER, &found));
    list->entries = live + (found ? list->entries : 0);
}

// Whether the page belongs to a list that is not in the tree: it was replaced, or is about to
// replace others.
bool is_retired(const Totals& totals, const PageTrailer& trailer) {
    const MetaPage& meta = totals.meta;
    const BlockNumber list = trailer.list_id;
    return list != kNoBlock && list != meta.root_list && list != meta.null_list &&
           list != meta.nan_list && !totals.tree.has(list);
}

void count_page(Totals* totals, Relation index, BlockNumber block, BufferAccessStrategy strategy) {
    const Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    PageKind kind = PageKind::kFree;  // as a new page is, too
    if (!PageIsNew(BufferGetPage(buffer))) {
        kind = page_trailer(buffer_bytes(buffer))->kind;
        if (kind == PageKind::kNone || kind > PageKind::kFree) {
            raise_corrupted(index, block, "the page is of an unknown kind");
        }
        check_page(index, buffer, kind);
    }
    if (kind != PageKind::kFree && is_retired(*totals, *page_trailer(buffer_bytes(buffer)))) {
        ++totals->retired_pages;
    } else {
        ++totals->pages_of_kind[static_cast<size_t>(kind)];
        if (kind == PageKind::kList) count_list_page(totals, index, buffer);
    }
    UnlockReleaseBuffer(buffer);
}

void summarize_lists(Totals* totals) {
    const long count = hash_get_num_entries(totals->lists);
    if (count == 0) return;
    auto* sizes = static_cast<uint32*>(palloc(sizeof(uint32) * static_cast<size_t>(count)));
    HASH_SEQ_STATUS sequence;
    hash_seq_init(&sequence, totals->lists);
    uint32* end = sizes;
    while (const auto* list = static_cast<const ListSize*>(hash_seq_search(&sequence)))
        *end++ = list->entries;
    std::sort(sizes, end);
    totals->smallest_list = sizes[0];
    totals->median_list = sizes[count / 2];
    totals->largest_list = sizes[count - 1];
}

uint32 count_retired(const Tree& tree, const MetaPage& meta) {
    return static_cast<uint32>(
        std::count_if(tree.lists, tree.lists + tree.count,
                      [&](const TreeList& list) { return list.retired <= meta.tree_version; }));
}

Totals count_pages(Relation index) {
    Totals totals{};
    const LoadedIndex* loaded = load_index(index);
    totals.meta = loaded->meta;
    totals.plain = plain_list_geometry();
    const Tree tree = read_tree(index, totals.meta);
    totals.tree = numbers_in_tree(tree, totals.meta.tree_version);
    totals.retired_lists = count_retired(tree, totals.meta);
    for (uint32 level = 0; level < 2; ++level) {
        totals.geometries[level] = loaded->geometry(level);
    }
    HASHCTL control{};
    control.keysize = sizeof(BlockNumber);
    control.entrysize = sizeof(ListSize);
    control.hcxt = CurrentMemoryContext;
    totals.lists =
        hash_create("faiss lists", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    const BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
    const BlockNumber count = RelationGetNumberOfBlocks(index);
    for (BlockNumber block = 0; block < count; ++block) {
        CHECK_FOR_INTERRUPTS();
        count_page(&totals, index, block, strategy);
    }
    FreeAccessStrategy(strategy);
    summarize_lists(&totals);
    return totals;
}

const char* refine_name(Refine refine) {
    static const char* const kNames[] = {"int8", "half", "float", "none"};
    return kNames[static_cast<size_t>(refine)];
}

// Why an option that was changed since the build asks for another index, or null.
const char* changed_option(const Totals& totals, const FaissOptions& options) {
    const MetaPage& meta = totals.meta;
    const auto refine = static_cast<Refine>(options.refine);
    if (refine != meta.refine && !is_binary(meta.metric)) {
        return psprintf("the option refine asks for %s, the index has %s", refine_name(refine),
                        refine_name(meta.refine));
    }
    const auto option = static_cast<uint32>(options.lists);
    if (option == meta.list_option) return nullptr;
    const uint64 lists = meta.leaf_count;
    if (option > 0) {
        if (lists == std::min<uint64>(option, std::max<uint64>(totals.entries, 1))) return nullptr;
        return psprintf("the option lists asks for %u lists, the index has %u", option,
                        meta.leaf_count);
    }
    const uint64 wanted = wanted_list_count(totals.entries);
    if (wanted < 2 * lists && lists < 2 * wanted) return nullptr;
    return psprintf("the option lists is no longer set, and " UINT64_FORMAT
                    " rows want " UINT64_FORMAT " list%s, not " UINT64_FORMAT,
                    totals.entries, wanted, wanted == 1 ? "" : "s", lists);
}

// Why lists that cannot be split no longer fit the rows, or null.
const char* outgrown_lists(const Totals& totals, const FaissOptions& options) {
    const uint64 rows = totals.entries;
    const uint64 lists = totals.meta.leaf_count;
    const uint64 built_rows = totals.meta.built_rows;
    const uint32 code_dims = IndexSpace::padded_dims(totals.meta.dims);
    const uint64 wanted = options.lists > 0 ? static_cast<uint64>(options.lists)
                                            : build_budget().list_count(rows, code_dims);
    if (wanted >= 2 * lists && rows > built_rows) {
        return psprintf(UINT64_FORMAT " rows want " UINT64_FORMAT " lists, not " UINT64_FORMAT,
                        rows, wanted, lists);
    }
    if (lists > 1 && rows / 4 > built_rows) {
        return psprintf("the lists were learned from " UINT64_FORMAT
                        " rows, now there are " UINT64_FORMAT,
                        built_rows, rows);
    }
    // A skewed table has long lists from its build on.
    if (lists > 1 && rows > built_rows + built_rows / 4 && totals.largest_list > kRowsOfOneList &&
        totals.largest_list > 10 * (rows / lists)) {
        return psprintf("one list has " UINT64_FORMAT " of " UINT64_FORMAT " rows",
                        totals.largest_list, rows);
    }
    return nullptr;
}

// Why a rebuild would help where nothing else does, or null. Lists follow the rows, and later rows
// take emptied places and free pages: a load in one transaction leaves up to three quarters of the
// file to them. But only a rebuild makes the file shorter.
const char* rebuild_reason(const Totals& totals, const FaissOptions& options, bool is_split,
                           uint64 blocks) {
    constexpr uint64 kFewBlocks = 1000;
    if (const char* reason = changed_option(totals, options)) return reason;
    if (!is_split) {
        if (const char* reason = outgrown_lists(totals, options))
            return psprintf("%s, and with refine = none those of an expression are not split",
                            reason);
    }
    const uint64 free_pages = totals.pages_of_kind[static_cast<size_t>(PageKind::kFree)];
    if (blocks > kFewBlocks && free_pages > blocks - blocks / 8)
        return psprintf(UINT64_FORMAT " of " UINT64_FORMAT " pages are free", free_pages, blocks);
    return nullptr;
}

enum InfoColumn {
    kVersion,
    kMetric,
    kKind,
    kDimensions,
    kRefineColumn,
    kLists,
    kDepth,
    kBuiltRows,
    kEntries,
    kDeadEntries,
    kFreePlaces,
    kTotalBytes,
    kListBytes,
    kCodeBytes,
    kRefineBytes,
    kVectorBytes,
    kFreeBytes,
    kRetiredLists,
    kRetiredBytes,
    kListMinimum,
    kListMedian,
    kListMaximum,
    kSplits,
    kMerges,
    kSplitMilliseconds,
    kMeasuredRows,
    kMeasuredLists,
    kMeasuredQueries,
    kRebuildHelps,
    kRebuildReason,
    kInfoColumnCount,
};

HeapTuple info_tuple(TupleDesc descriptor, const Totals& totals, const char* reason) {
    const MetaPage& meta = totals.meta;
    Datum values[kInfoColumnCount];
    bool is_null[kInfoColumnCount] = {};
    const auto put = [&](InfoColumn column, uint64 value) {
        values[column] = Int64GetDatum(static_cast<int64>(value));
    };
    const auto put_bytes = [&](InfoColumn column, PageKind kind) {
        put(column, totals.pages_of_kind[static_cast<size_t>(kind)] * BLCKSZ);
    };
    uint64 pages = totals.retired_pages;
    for (const uint64 count : totals.pages_of_kind)
        pages += count;
    values[kVersion] = Int32GetDatum(meta.version);
    const bool is_local = meta.content == Content::kLocalFeatures;
    values[kMetric] =
        CStringGetTextDatum(is_local ? "local features" : traits_of(meta.metric).name);
    is_null[kKind] = is_null[kDimensions] = meta.dims == 0;
    if (meta.dims > 0) {
        values[kKind] = CStringGetTextDatum(kind_name(static_cast<Kind>(meta.kind)));
        values[kDimensions] = Int32GetDatum(static_cast<int32>(meta.dims));
    }
    if (is_local) {
        is_null[kKind] = meta.local_kind == 0;
        values[kKind] =
            CStringGetTextDatum(local_kind_name(static_cast<LocalKind>(Max(meta.local_kind, 1))));
    }
    values[kRefineColumn] =
        CStringGetTextDatum(refine_name(is_binary(meta.metric) ? Refine::kNone : meta.refine));
    values[kLists] = Int32GetDatum(static_cast<int32>(meta.leaf_count));
    values[kDepth] = Int32GetDatum(static_cast<int32>(meta.depth));
    put(kBuiltRows, meta.built_rows);
    put(kEntries, totals.entries);
    put(kDeadEntries, totals.dead_entries);
    put(kFreePlaces, totals.free_places);
    put(kTotalBytes, pages * BLCKSZ);
    put_bytes(kListBytes, PageKind::kList);
    put_bytes(kCodeBytes, PageKind::kCode);
    put_bytes(kRefineBytes, PageKind::kRefine);
    put_bytes(kVectorBytes, PageKind::kVector);
    put_bytes(kFreeBytes, PageKind::kFree);
    values[kRetiredLists] = Int32GetDatum(static_cast<int32>(totals.retired_lists));
    put(kRetiredBytes, totals.retired_pages * BLCKSZ);
    put(kListMinimum, totals.smallest_list);
    put(kListMedian, totals.median_list);
    put(kListMaximum, totals.largest_list);
    put(kSplits, meta.splits);
    put(kMerges, meta.merges);
    values[kSplitMilliseconds] = Float8GetDatum(static_cast<double>(meta.split_time) / 1000);
    const Calibration calibration = calibration_of(meta);
    put(kMeasuredRows, calibration.row_count);
    values[kMeasuredLists] = Int32GetDatum(static_cast<int32>(calibration.list_count));
    values[kMeasuredQueries] = Int32GetDatum(static_cast<int32>(calibration.query_count));
    values[kRebuildHelps] = BoolGetDatum(reason != nullptr);
    is_null[kRebuildReason] = reason == nullptr;
    if (reason != nullptr) values[kRebuildReason] = CStringGetTextDatum(reason);
    return heap_form_tuple(descriptor, values, is_null);
}

}  // namespace

SQL_FUNCTION(faiss_index_info) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE ||
        descriptor->natts != kInfoColumnCount) {
        elog(ERROR, "return type must be the declared row type");
    }
    const InspectedIndex inspected =
        open_inspected(PG_GETARG_OID(0), AccessShareLock, InspectRight::kStatistics);
    const Totals totals = count_pages(inspected.index);
    const bool is_split = can_part_lists(load_index(inspected.index)->shape) ||
                          can_fetch_rows(inspected.heap, inspected.index);
    const char* reason = rebuild_reason(totals, index_options(inspected.index), is_split,
                                        RelationGetNumberOfBlocks(inspected.index));
    HeapTuple tuple = info_tuple(BlessTupleDesc(descriptor), totals, reason);
    close_inspected(inspected);
    PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}

// INSERT: find the nearest list, encode, append. No worker is needed.
#include "am/access_method.h"

extern "C" {
#include "utils/memutils.h"
}

#include "am/filter/conditions.h"
#include "am/local/index_words.h"
#include "am/options.h"
#include "am/row_entries.h"
#include "am/storage/list_append.h"
#include "am/storage/nearest_list.h"
#include "am/storage/reader.h"
#include "am/storage/tree.h"
#include "am/upkeep/remeasure.h"
#include "am/upkeep/split.h"
#include "core/page/meta_page.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// The first row of an index that was made on an empty table without a type modifier decides.
const LoadedIndex* settle_dims(Relation index, const DescriptorView& value) {
    const Buffer buffer = lock_page(index, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    PageChange change(index);
    auto* meta = reinterpret_cast<MetaPage*>(page_body(change.add(buffer)));
    if (const char* fault = meta_fault(*meta)) raise_corrupted(index, kMetaBlock, fault);
    if (meta->dims == 0) {
        check_metric_takes(meta->metric, value.kind);
        meta->dims = value.dims;
        meta->kind = static_cast<uint8_t>(value.kind);
        ++meta->build_id;
        seal(meta);
        change.finish();
    } else {
        change.abort();
    }
    UnlockReleaseBuffer(buffer);
    return load_index_to_search(index);
}

// The same for the kind of local features.
void settle_local_kind(Relation index, uint8_t kind) {
    const Buffer buffer = lock_page(index, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    PageChange change(index);
    auto* meta = reinterpret_cast<MetaPage*>(page_body(change.add(buffer)));
    if (const char* fault = meta_fault(*meta)) raise_corrupted(index, kMetaBlock, fault);
    if (meta->local_kind == 0) {
        meta->local_kind = kind;
        seal(meta);
        change.finish();
    } else {
        change.abort();
    }
    UnlockReleaseBuffer(buffer);
}

// The words of an index on local features, for all features of a row.
struct KnownWords {
    uint32 tree_version;
    Words* words;  // null: not read yet
};

struct Target {
    BlockNumber list_id;
    float* centroid;     // padded floats in index space; zeros for the root
    EntryVector vector;  // the row, in index space
};

EntryVector vector_of(const LoadedIndex& loaded, const RowEntry& entry) {
    auto* scratch = static_cast<float*>(palloc(sizeof(float) * entry.vector.dims));
    return to_index_space(loaded.space, entry, scratch, palloc(entry_vector_bytes(loaded.shape)));
}

// Most rows come here: the root lies in the backend's own memory.
Target nearest_list_of_copy(Relation index, const LoadedIndex& loaded,
                            const DescriptorView& value) {
    auto* scratch = static_cast<float*>(palloc(sizeof(float) * value.dims));
    const NearestList nearest = nearest_of_copy(index, loaded, as_reals(value, scratch),
                                                scan_epsilon_of(index, loaded.shape.refine));
    return {nearest.list_id,
            nearest.centroid,
            {.floats = nearest.vector, .rounding = nearest.rounding, .bits = nullptr}};
}

Target list_of_nearest_word(Relation index, const LoadedIndex& loaded, const RowEntry& entry,
                            KnownWords* known) {
    if (known->words == nullptr || known->tree_version != loaded.shape.tree_version) {
        known->words = read_words(index, loaded);
        known->tree_version = loaded.shape.tree_version;
    }
    const BlockNumber list = run_core([&] { return known->words->nearest(entry.vector.bits()); });
    return {list, nullptr, {.floats = nullptr, .rounding = 0, .bits = entry.vector.bits()}};
}

// The list whose centroid is nearest, and that centroid.
Target nearest_list(Relation index, const LoadedIndex& loaded, const RowEntry& entry,
                    KnownWords* known) {
    if (loaded.meta.content == Content::kLocalFeatures)
        return list_of_nearest_word(index, loaded, entry, known);
    const bool binary = is_binary(loaded.meta.metric);
    if (!binary && loaded.meta.depth > 1 && loaded.root != nullptr)
        return nearest_list_of_copy(index, loaded, entry.vector);
    auto* centroid =
        binary ? nullptr : static_cast<float*>(palloc0(sizeof(float) * loaded.shape.code_dims));
    const EntryVector vector = vector_of(loaded, entry);
    if (loaded.meta.depth == 1) return {loaded.meta.root_list, centroid, vector};
    Reader* reader = make_reader(index, loaded, entry.vector,
                                 {.probes = ProbePlan(1),
                                  .target_level = 1,
                                  .exhaustive = false,
                                  .memory_bytes = size_t{64} * 1024});
    const SearchStep step = next_step(reader);
    if (step.what != SearchStep::What::kEmit) {
        raise_corrupted(index, loaded.meta.root_list, "the root has no lists");
    }
    if (!binary) copy_centroid(reader, step, loaded.shape.code_dims, centroid);
    return {step.found.pointer.block(), centroid, vector};
}

void append_plain(Relation index, BlockNumber list_id, EntryPointer pointer) {
    append_entry(index, list_id, plain_list_geometry(),
                 {.pointer = pointer, .factors = {}, .code = nullptr, .refine = nullptr});
}

// The list is locked until its entry is there, so that it stays in the tree; where it has just left
// the tree, the search is for another one.
const LoadedIndex* lock_nearest_list(Relation index, const LoadedIndex* loaded,
                                     const RowEntry& entry, KnownWords* known, Target* target) {
    for (;;) {
        const uint32 version = loaded->shape.tree_version;
        *target = nearest_list(index, *loaded, entry, known);
        lock_list(index, target->list_id, ShareLock);
        if (tree_version(index) == version) return loaded;
        unlock_list(index, target->list_id, ShareLock);
        CHECK_FOR_INTERRUPTS();
        loaded = load_index_to_search(index);
    }
}

// What one row needs while its entries are put in.
struct RowInsert {
    Relation index;
    Relation table;
    EntryPointer pointer;
    AttributeKeys attributes;  // as far as the row has a vector
    KnownWords words;
};

// Returns the index as it is then.
const LoadedIndex* append_to_nearest(RowInsert* row, const LoadedIndex* loaded,
                                     const RowEntry& row_entry) {
    const Relation index = row->index;
    Target target;
    loaded = lock_nearest_list(index, loaded, row_entry, &row->words, &target);
    EntryEncoder* encoder =
        ContextOwned<EntryEncoder>::make()->create(loaded->shape, loaded->space, 0u);
    EncodedEntry entry =
        run_core([&] { return encoder->encode(target.vector, target.centroid, row->pointer); });
    entry.attributes = &row->attributes;
    const GrownList list = append_entry(index, target.list_id, loaded->shape.levels[0], entry);
    unlock_list(index, target.list_id, ShareLock);
    const auto list_option = static_cast<uint32>(index_options(index).lists);
    if (is_too_long(index, row->table, *loaded, list_option, list)) {
        split_list(index, row->table, target.list_id, list_option, list.entries);
        // One row has waited long enough: the next one goes on with measuring.
        return load_index_to_search(index);
    }
    measure_beside_insert(index, row->table, *loaded);
    return loaded;
}

const LoadedIndex* insert_entry(RowInsert* row, const LoadedIndex* loaded, const RowEntry& entry) {
    switch (entry.list_class) {
        case ListClass::kNull:
            append_plain(row->index, loaded->meta.null_list, row->pointer);
            return loaded;
        case ListClass::kNoDirection:
        case ListClass::kRow:
            append_plain(row->index, loaded->meta.nan_list, row->pointer);
            return loaded;
        case ListClass::kLeaf:
            return append_to_nearest(row, loaded, entry);
    }
    pg_unreachable();
}

// A row without a value asks for no more of the index than where its list is.
const LoadedIndex* load_for_row(Relation index, const bool* is_null) {
    return has_value(is_null) ? load_index_to_search(index) : load_index(index);
}

}  // namespace

bool insert_row(Relation index, Datum* values, bool* is_null, ItemPointer row, Relation table,
                IndexUniqueCheck, bool, IndexInfo*) {
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss insert", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const LoadedIndex* loaded = load_for_row(index, is_null);
    RowEntries entries = read_row(index, *loaded, values, is_null);
    if (!loaded->knows_dims() && has_value(is_null)) {
        loaded = settle_dims(index, entries.begin()->vector);
        entries = read_row(index, *loaded, values, is_null);
    }
    if (entries.local_kind != 0 && loaded->meta.local_kind == 0) {
        settle_local_kind(index, entries.local_kind);
        loaded = load_index_to_search(index);
        entries = read_row(index, *loaded, values, is_null);
    }
    RowInsert insert{
        .index = index,
        .table = table,
        .pointer = entry_pointer(ItemPointerGetBlockNumber(row), ItemPointerGetOffsetNumber(row)),
        .attributes = {},
        .words = {}};
    if (has_value(is_null))
        insert.attributes = attribute_keys(index, attribute_widths(loaded->meta), values, is_null);
    for (const RowEntry& entry : entries)
        loaded = insert_entry(&insert, loaded, entry);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    return false;
}

}  // namespace lookalike

// INSERT: find the nearest list, encode, append. No worker is needed.
#include "am/access_method.h"

extern "C" {
#include "utils/memutils.h"
}

#include "am/filter/conditions.h"
#include "am/storage/list_append.h"
#include "am/storage/reader.h"
#include "core/code/entry_encoder.h"
#include "core/page/meta_page.h"
#include "pg/run_core.h"
#include "pg/type/descriptor.h"

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

struct Target {
    BlockNumber list_id;
    float* centroid;  // padded floats in index space; zeros for the root
};

// The list whose centroid is nearest, and that centroid.
Target nearest_list(Relation index, const LoadedIndex& loaded, const DescriptorView& value) {
    const size_t centroid_bytes = sizeof(float) * loaded.shape.code_dims;
    const bool binary = is_binary(loaded.meta.metric);
    auto* centroid = binary ? nullptr : static_cast<float*>(palloc0(centroid_bytes));
    if (loaded.meta.depth == 1) return {loaded.meta.root_list, centroid};
    Reader* reader = make_reader(index, loaded, value,
                                 {.probes = ProbePlan(1),
                                  .target_level = 1,
                                  .exhaustive = false,
                                  .memory_bytes = size_t{64} * 1024});
    FoundEntry found;
    if (next_entry(reader, &found) != NextEntry::kFound) {
        raise_corrupted(index, loaded.meta.root_list, "the root has no lists");
    }
    if (!binary) {
        const ListGeometry& geometry = reader->search->geometry(1);
        const LevelScan::Place place = reader->search->leaf().place(found.id);
        if (!copy_slot(index, geometry, place, reader->slot)) {
            raise_corrupted(index, place.list_page, "a centroid is missing");
        }
        memcpy(centroid, reader->slot + sizeof(RefineSlotHeader) + sizeof(RefineHeader),
               centroid_bytes);
    }
    return {found.pointer.block(), centroid};
}

void insert_value(Relation index, const LoadedIndex& loaded, const DescriptorView& value,
                  const AttributeKeys& attributes, EntryPointer pointer) {
    // The copies outlive what load_index() gives when the search reads the meta page again.
    const IndexShape shape = loaded.shape;
    const IndexSpace* space = loaded.space;
    const Target target = nearest_list(index, loaded, value);
    const ListGeometry& geometry = shape.levels[0];
    auto* encoder = ContextOwned<EntryEncoder>::make();
    EncodedEntry entry;
    if (is_binary(shape.metric)) {
        encoder->create(shape.dims);
        entry = run_core([&] { return encoder->get()->encode_bits(value.bits(), pointer); });
    } else {
        auto* scratch = static_cast<float*>(palloc(sizeof(float) * value.dims));
        auto* vector = static_cast<float*>(palloc(sizeof(float) * shape.code_dims));
        const float* reals = as_reals(value, scratch);
        encoder->create(*space, shape.refine, 0u);
        entry = run_core([&] {
            const double rounding = space->to_space(reals, vector);
            return encoder->get()->encode(vector, rounding, target.centroid, pointer);
        });
    }
    entry.attributes = &attributes;
    append_entry(index, target.list_id, geometry, entry);
}

void insert_descriptor(Relation index, const Datum* values, const bool* is_null,
                       EntryPointer pointer) {
    const DescriptorView value = checked_descriptor(values[0])->view();
    const LoadedIndex* loaded = load_index_to_search(index);
    if (!loaded->knows_dims()) loaded = settle_dims(index, value);
    check_value_fits(index, *loaded, value);
    if (loaded->meta.metric == Metric::kCosine && has_no_direction(value)) {
        append_entry(index, loaded->meta.nan_list, plain_list_geometry(),
                     {.pointer = pointer, .factors = {}, .code = nullptr, .refine = nullptr});
        return;
    }
    const AttributeKeys attributes =
        attribute_keys(index, attribute_widths(loaded->meta), values, is_null);
    insert_value(index, *loaded, value, attributes, pointer);
}

}  // namespace

bool insert_row(Relation index, Datum* values, bool* is_null, ItemPointer row, Relation,
                IndexUniqueCheck, bool, IndexInfo*) {
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss insert", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const EntryPointer pointer =
        entry_pointer(ItemPointerGetBlockNumber(row), ItemPointerGetOffsetNumber(row));
    if (is_null[0]) {
        append_entry(index, read_meta(index).null_list, plain_list_geometry(),
                     {.pointer = pointer, .factors = {}, .code = nullptr, .refine = nullptr});
    } else {
        insert_descriptor(index, values, is_null, pointer);
    }
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    return false;
}

}  // namespace lookalike

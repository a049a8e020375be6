#include "am/build/write.h"

extern "C" {
#include "commands/progress.h"
#include "utils/backend_progress.h"
}

#include "am/build/list_writer.h"
#include "core/page/meta_page.h"
#include "core/vector/signs.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// Writes the entries of one list, which come next if there are any.
BlockNumber write_list(ListWriter* writer, EntrySort* entries, int32 list) {
    writer->begin();
    while (!entries->at_end && entries->list == list) {
        writer->add(entries->entry);
        next_sorted(entries);
    }
    return writer->finish();
}

ListPageBuilder* make_builder(const ListGeometry& geometry) {
    return ContextOwned<ListPageBuilder>::make()->create(geometry);
}

// A centroid is exact in index space: nothing was rounded to get there. Binary ones are -1 and 1;
// `bits` has room for theirs.
EntryVector centroid_vector(const LearnedLists& lists, uint32 list, uint8_t* bits) {
    const float* centroid = lists.centroid(list);
    if (!is_binary(lists.shape.metric)) return {.floats = centroid, .rounding = 0, .bits = nullptr};
    signs_to_bits(centroid, lists.shape.dims, bits);
    return {.floats = nullptr, .rounding = 0, .bits = bits};
}

// The root's entries are encoded against the mean, the zero of the index space.
BlockNumber write_root(Relation index, const LearnedLists& lists, const BlockNumber* blocks) {
    const ListGeometry& geometry = lists.shape.levels[1];
    ListWriter writer(index, geometry, make_builder(geometry), 1);
    EntryEncoder* encoder =
        ContextOwned<EntryEncoder>::make()->create(lists.shape, lists.space, 1u);
    auto* zero = static_cast<float*>(palloc0(sizeof(float) * lists.shape.code_dims));
    auto* bits = static_cast<uint8_t*>(palloc(entry_vector_bytes(lists.shape)));
    const AttributeKeys attributes = list_keys(0, kInTree);
    writer.begin();
    for (uint32 list = 0; list < lists.count; ++list) {
        const EntryVector vector = centroid_vector(lists, list, bits);
        const EntryPointer pointer = entry_pointer(blocks[list], 1);
        EncodedEntry entry = run_core([&] { return encoder->encode(vector, zero, pointer); });
        entry.attributes = &attributes;
        writer.add(entry);
    }
    return writer.finish();
}

// Returns the first block of each leaf list.
BlockNumber* write_leaves(Relation index, const LearnedLists& lists, EntrySort* entries) {
    auto* blocks = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * lists.count));
    const ListGeometry geometry = lists.leaf_geometry();
    ListWriter writer(index, geometry, make_builder(geometry), 0);
    for (uint32 list = 0; list < lists.count; ++list)
        blocks[list] = write_list(&writer, entries, static_cast<int32>(list));
    return blocks;
}

void write_plain_lists(Relation index, uint32 list_count, EntrySort* entries, MetaPage* meta) {
    const ListGeometry geometry = plain_list_geometry();
    ListWriter writer(index, geometry, make_builder(geometry), 0);
    const auto write = [&](ListClass list_class) {
        return write_list(&writer, entries, plain_list_key(list_class, list_count));
    };
    meta->null_list = write(ListClass::kNull);
    meta->nan_list = write(ListClass::kNoDirection);
}

}  // namespace

void write_lists(Relation index, const LearnedLists& lists, EntrySort* entries, MetaPage* meta) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
    sort_entries(entries);
    const BlockNumber* blocks = write_leaves(index, lists, entries);
    write_plain_lists(index, lists.count, entries, meta);
    if (!entries->at_end) elog(ERROR, "entry of unknown list %d", entries->list);
    end_entry_sort(entries);

    meta->depth = lists.count > 1 ? 2 : 1;
    meta->root_list = lists.count > 1 ? write_root(index, lists, blocks) : blocks[0];
    meta->leaf_count = lists.count;
    meta->mean_block = write_mean(index, lists.mean, lists.shape.dims);
    if (lists.mean != nullptr) meta->mean_checksum = mean_checksum({lists.mean, lists.shape.dims});
}

}  // namespace lookalike

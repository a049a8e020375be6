// The last step of CREATE INDEX: the sorted entries become lists, the lists a tree.
#include "am/build/state.h"

extern "C" {
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "utils/backend_progress.h"
}

#include "am/build/list_writer.h"
#include "core/page/meta_page.h"
#include "core/vector/signs.h"

namespace lookalike {
namespace {

// The sorted entries, one at a time.
struct EntryStream {
    Tuplesortstate* sort;
    TupleTableSlot* slot;
    bool at_end;
    int32 list;
    EncodedEntry entry;
    AttributeKeys attributes;
    uint32 code_bytes;
};

void advance(EntryStream* stream) {
    stream->at_end = !tuplesort_gettupleslot(stream->sort, true, false, stream->slot, nullptr);
    if (stream->at_end) return;
    slot_getallattrs(stream->slot);
    stream->list = DatumGetInt32(stream->slot->tts_values[0]);
    const int64 row = DatumGetInt64(stream->slot->tts_values[1]);
    stream->entry.pointer =
        entry_pointer(static_cast<uint32_t>(row >> 16), static_cast<uint16_t>(row & 0xffff));
    const auto* bytes =
        reinterpret_cast<const uint8_t*>(VARDATA_ANY(DatumGetPointer(stream->slot->tts_values[2])));
    memcpy(&stream->entry.factors, bytes, sizeof(ScanFactors));
    memcpy(&stream->entry.radius, bytes + offsetof(PackedEntry, radius), sizeof(float));
    memcpy(&stream->attributes.nulls, bytes + offsetof(PackedEntry, nulls), sizeof(uint32_t));
    const uint8_t* from = bytes + offsetof(PackedEntry, bytes);
    const size_t key_bytes = stream->attributes.widths.count * sizeof(uint64_t);
    memcpy(stream->attributes.keys, from, key_bytes);
    stream->entry.attributes = &stream->attributes;
    stream->entry.code = from + key_bytes;
    stream->entry.refine = stream->entry.code + stream->code_bytes;
}

// Writes the entries of one list, which come next if there are any.
BlockNumber write_list(ListWriter* writer, EntryStream* stream, int32 list) {
    writer->begin();
    while (!stream->at_end && stream->list == list) {
        writer->add(stream->entry);
        advance(stream);
    }
    return writer->finish();
}

ListPageBuilder* make_builder(const ListGeometry& geometry) {
    return ContextOwned<ListPageBuilder>::make()->create(geometry);
}

// A centroid is exact in index space: nothing was rounded to get there. Binary ones are -1 and 1;
// `bits` has room for theirs.
EntryVector centroid_vector(const BuildState* state, uint32 list, uint8_t* bits) {
    const float* centroid = state->centroids + uint64{list} * state->code_dims;
    if (!is_binary(state->metric)) return {.floats = centroid, .rounding = 0, .bits = nullptr};
    signs_to_bits(centroid, state->dims, bits);
    return {.floats = nullptr, .rounding = 0, .bits = bits};
}

// The root's entries are encoded against the mean, the zero of the index space.
BlockNumber write_root(BuildState* state, const BlockNumber* lists) {
    const ListGeometry& geometry = state->shape.levels[1];
    ListWriter writer(state->index, geometry, make_builder(geometry), 1);
    EntryEncoder* encoder =
        ContextOwned<EntryEncoder>::make()->create(state->shape, state->space, 1u);
    auto* zero = static_cast<float*>(palloc0(sizeof(float) * state->code_dims));
    auto* bits = static_cast<uint8_t*>(palloc(entry_vector_bytes(state->shape)));
    writer.begin();
    for (uint32 list = 0; list < state->list_count; ++list) {
        const EntryVector vector = centroid_vector(state, list, bits);
        const EntryPointer pointer = entry_pointer(lists[list], 1);
        writer.add(run_core([&] { return encoder->encode(vector, zero, pointer); }));
    }
    return writer.finish();
}

}  // namespace

void write_lists(BuildState* state, MetaPage* meta) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
    tuplesort_performsort(state->sort);
    const ListGeometry geometry =
        state->knows_shape ? state->shape.levels[0] : plain_list_geometry();
    EntryStream stream{};
    stream.sort = state->sort;
    stream.slot = MakeSingleTupleTableSlot(entry_tuple_descriptor(), &TTSOpsMinimalTuple);
    stream.attributes.widths = state->attributes;
    stream.code_bytes = geometry.row_code_bytes;
    advance(&stream);

    auto* lists = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * state->list_count));
    ListWriter leaves(state->index, geometry, make_builder(geometry), 0);
    for (uint32 list = 0; list < state->list_count; ++list)
        lists[list] = write_list(&leaves, &stream, static_cast<int32>(list));
    const ListGeometry plain = plain_list_geometry();
    ListWriter rest(state->index, plain, make_builder(plain), 0);
    meta->null_list = write_list(&rest, &stream, list_key(state, ListClass::kNull));
    meta->nan_list = write_list(&rest, &stream, list_key(state, ListClass::kNoDirection));
    if (!stream.at_end) elog(ERROR, "entry of unknown list %d", stream.list);
    ExecDropSingleTupleTableSlot(stream.slot);
    tuplesort_end(state->sort);

    meta->depth = state->list_count > 1 ? 2 : 1;
    meta->root_list = state->list_count > 1 ? write_root(state, lists) : lists[0];
    meta->leaf_count = state->list_count;
    meta->mean_block = write_mean(state->index, state->mean, state->dims);
    if (state->mean != nullptr) meta->mean_checksum = mean_checksum({state->mean, state->dims});
    meta->built_rows = state->rows;
    memcpy(meta->calibration, &state->calibration, sizeof state->calibration);
    if (state->knows_shape) {
        meta->dims = state->dims;
        meta->kind = static_cast<uint8_t>(state->kind);
    }
}

}  // namespace lookalike

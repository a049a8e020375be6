// The last step of CREATE INDEX: the sorted entries become lists, the lists a tree.
#include "am/build/state.h"

extern "C" {
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "utils/backend_progress.h"
}

#include "am/build/list_writer.h"
#include "core/page/meta_page.h"

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

// Bits of a binary centroid, from its -1 and 1.
void pack_bits(const float* values, uint32 dims, uint8_t* bits) {
    memset(bits, 0, element_bytes(Kind::kBit, dims));
    for (uint32 i = 0; i < dims; ++i) {
        if (values[i] > 0) bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (0x80 >> (i % 8)));
    }
}

// The root's entries are encoded against the mean, the zero of the index space.
BlockNumber write_root(BuildState* state, const BlockNumber* lists) {
    const ListGeometry geometry = list_geometry(state->metric, state->code_dims, Refine::kFloat, 1);
    ListWriter writer(state->index, geometry, make_builder(geometry), 1);
    const bool binary = is_binary(state->metric);
    auto* owned = ContextOwned<EntryEncoder>::make();
    EntryEncoder* encoder =
        binary ? owned->create(state->dims) : owned->create(*state->space, Refine::kFloat, 1u);
    auto* zero = static_cast<float*>(palloc0(sizeof(float) * state->code_dims));
    auto* bits = static_cast<uint8_t*>(palloc0(element_bytes(Kind::kBit, state->dims)));
    writer.begin();
    for (uint32 list = 0; list < state->list_count; ++list) {
        const float* centroid = state->centroids + uint64{list} * state->code_dims;
        const EntryPointer pointer = entry_pointer(lists[list], 1);
        if (binary) pack_bits(centroid, state->dims, bits);
        const EncodedEntry entry = run_core([&] {
            // The centroid is exact in index space: nothing was rounded to get there.
            return binary ? encoder->encode_bits(bits, pointer)
                          : encoder->encode(centroid, 0.0, zero, pointer);
        });
        writer.add(entry);
    }
    return writer.finish();
}

}  // namespace

void write_lists(BuildState* state, MetaPage* meta) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
    tuplesort_performsort(state->sort);
    const ListGeometry geometry =
        state->knows_shape
            ? list_geometry(state->metric, state->code_dims,
                            static_cast<Refine>(state->options.refine), 0, state->attributes)
            : plain_list_geometry();
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
    meta->null_list = write_list(&rest, &stream, null_list_key(state));
    meta->nan_list = write_list(&rest, &stream, nan_list_key(state));
    if (!stream.at_end) elog(ERROR, "entry of unknown list %d", stream.list);
    ExecDropSingleTupleTableSlot(stream.slot);
    tuplesort_end(state->sort);

    meta->depth = state->list_count > 1 ? 2 : 1;
    meta->root_list = state->list_count > 1 ? write_root(state, lists) : lists[0];
    meta->leaf_count = state->list_count;
    meta->mean_block = write_mean(state->index, state->mean, state->dims);
    if (state->mean != nullptr) meta->mean_checksum = mean_checksum({state->mean, state->dims});
    meta->built_rows = state->rows;
    set_calibration(meta, state->calibration);
    if (state->knows_shape) {
        meta->dims = state->dims;
        meta->kind = static_cast<uint8_t>(state->kind);
    }
}

}  // namespace lookalike

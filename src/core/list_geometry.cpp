#include "core/list_geometry.h"

#include <algorithm>

#include "core/index_space.h"
#include "core/list_summary.h"

namespace lookalike {
namespace {

// Slots above this would waste too much of a page if they did not run on.
constexpr uint32_t kMaxPackedSlotBytes = kBodyBytes / 4;
constexpr uint32_t kPointerBytes = kBlockEntries * sizeof(EntryPointer);
constexpr uint32_t kLiveBytes = sizeof(uint32_t);

uint32_t divide_up(uint64_t value, uint64_t by) {
    return static_cast<uint32_t>((value + by - 1) / by);
}

// Fills in the members that follow from the entry's sizes: a list page takes as many blocks as make
// its pages serve the most entries each.
void choose_blocks(ListGeometry& geometry) {
    const uint32_t columns =
        geometry.factor_bytes + kPointerBytes + geometry.attribute_bytes + kLiveBytes;
    const uint32_t inside = geometry.block_code_bytes + columns;
    for (const bool codes_inside : {true, false}) {
        const uint32_t block_bytes = codes_inside ? inside : columns;
        for (uint32_t blocks = 1; blocks <= kBodyBytes / block_bytes; ++blocks) {
            ListGeometry candidate = geometry;
            candidate.codes_inside = codes_inside;
            candidate.block_bytes = block_bytes;
            candidate.max_blocks = blocks;
            candidate.max_code_pages = candidate.code_pages_for(candidate.max_entries());
            candidate.max_refine_pages = candidate.refine_pages_for(candidate.max_entries());
            if (candidate.blocks_offset() + blocks * block_bytes > kBodyBytes) break;
            const uint64_t pages = 1 + candidate.max_code_pages + candidate.max_refine_pages;
            const uint64_t best_pages = 1 + geometry.max_code_pages + geometry.max_refine_pages;
            if (geometry.max_blocks == 0 || pages * geometry.max_blocks <= best_pages * blocks) {
                geometry = candidate;
            }
        }
        // A block inside its page is read with one lock; that is worth a little space, not half.
        if (geometry.max_blocks > 0 && codes_inside) {
            const uint64_t bytes = uint64_t{geometry.max_blocks} * geometry.block_bytes;
            if (bytes * 10 >= uint64_t{kBodyBytes} * 6) return;
        }
    }
}

ListGeometry with_entry_bytes(uint32_t row_code_bytes, uint32_t factor_bytes, uint32_t slot_bytes,
                              uint32_t attribute_bytes, uint32_t summary_bytes) {
    ListGeometry geometry{};
    geometry.summary_bytes = summary_bytes;
    geometry.attribute_bytes = attribute_bytes;
    geometry.row_code_bytes = row_code_bytes;
    geometry.block_code_bytes = row_code_bytes * kBlockEntries;
    geometry.factor_bytes = factor_bytes;
    geometry.slot_bytes = slot_bytes;
    geometry.slots_per_page =
        slot_bytes == 0 || slot_bytes > kMaxPackedSlotBytes ? 0 : kBodyBytes / slot_bytes;
    choose_blocks(geometry);
    return geometry;
}

}  // namespace

StreamPlace ListGeometry::slot_place(uint32_t index) const {
    if (slots_per_page > 0) {
        return {index / slots_per_page, index % slots_per_page * slot_bytes};
    }
    const uint64_t at = uint64_t{index} * slot_bytes;
    return {static_cast<uint32_t>(at / kBodyBytes), static_cast<uint32_t>(at % kBodyBytes)};
}

StreamPlace ListGeometry::code_place(uint32_t index) const {
    const uint64_t at = uint64_t{index} * block_code_bytes;
    return {static_cast<uint32_t>(at / kBodyBytes), static_cast<uint32_t>(at % kBodyBytes)};
}

uint32_t ListGeometry::code_pages_for(uint32_t entry_count) const {
    if (codes_inside) return 0;
    const uint64_t blocks = divide_up(entry_count, kBlockEntries);
    return divide_up(blocks * block_code_bytes, kBodyBytes);
}

uint32_t ListGeometry::refine_pages_for(uint32_t entry_count) const {
    if (slot_bytes == 0) return 0;
    if (slots_per_page > 0) return divide_up(entry_count, slots_per_page);
    return divide_up(uint64_t{entry_count} * slot_bytes, kBodyBytes);
}

uint32_t AttributeWidths::offset(uint32_t attribute) const {
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < attribute; ++i)
        bytes += kBlockEntries * width[i] + sizeof(uint32_t);
    return bytes;
}

uint32_t AttributeWidths::block_bytes() const {
    return offset(count);
}

ListGeometry list_geometry(Metric metric, uint32_t code_dims, Refine refine, uint32_t level,
                           const AttributeWidths& attributes) {
    const uint32_t attribute_bytes = level > 0 ? 0 : attributes.block_bytes();
    const uint32_t summary = level > 0 ? 0 : summary_bytes(attributes.count);
    // Rows of bits are padded to whole words, so that the kernels never meet a tail.
    if (is_binary(metric)) {
        return with_entry_bytes((code_dims + 63) / 64 * 8, 0, 0, attribute_bytes, summary);
    }
    const Refine kept = level > 0 ? Refine::kFloat : refine;
    const uint32_t slot_bytes =
        kept == Refine::kNone
            ? 0
            : static_cast<uint32_t>(sizeof(RefineSlotHeader) + refine_bytes(kept, code_dims));
    return with_entry_bytes(code_dims / 8, 3 * kBlockEntries * sizeof(float), slot_bytes,
                            attribute_bytes, summary);
}

AttributeWidths attribute_widths(const MetaPage& meta) {
    AttributeWidths widths;
    widths.count = meta.attribute_count;
    for (uint32_t i = 0; i < widths.count; ++i)
        widths.width[i] = static_cast<uint8_t>(meta.attributes[i].width);
    return widths;
}

IndexShape index_shape(const MetaPage& meta) {
    const bool binary = is_binary(meta.metric);
    return {.metric = meta.metric,
            .dims = meta.dims,
            .code_dims = binary ? meta.dims : IndexSpace::padded_dims(meta.dims),
            .refine = binary ? Refine::kNone : meta.refine,
            .depth = meta.depth,
            .root_list = meta.root_list,
            .leaf_count = meta.leaf_count,
            .attributes = attribute_widths(meta)};
}

ListGeometry list_geometry(const IndexShape& shape, uint32_t level) {
    return list_geometry(shape.metric, shape.code_dims, shape.refine, level, shape.attributes);
}

ListGeometry list_geometry(const MetaPage& meta, uint32_t level) {
    return meta.dims > 0 ? list_geometry(index_shape(meta), level) : plain_list_geometry();
}

ListGeometry plain_list_geometry() {
    return with_entry_bytes(0, 0, 0, 0, 0);
}

}  // namespace lookalike

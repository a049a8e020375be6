#include "core/page/list_geometry.h"

#include <algorithm>

#include "core/code/index_space.h"
#include "core/page/list_summary.h"

namespace lookalike {
namespace {

// Slots above this would waste too much of a page if they did not run on.
constexpr uint32_t kMaxPackedSlotBytes = kBodyBytes / 4;
constexpr uint32_t kPointerBytes = kBlockEntries * sizeof(EntryPointer);
constexpr uint32_t kLiveBytes = sizeof(uint32_t);

uint32_t divide_up(uint64_t value, uint64_t by) {
    return static_cast<uint32_t>((value + by - 1) / by);
}

// With so many entries in a list page. The last block need not be full.
ListGeometry with_entries(ListGeometry geometry, uint32_t entries) {
    geometry.max_entries = entries;
    geometry.max_blocks = divide_up(entries, kBlockEntries);
    geometry.max_code_pages = geometry.code_pages_for(entries);
    geometry.max_refine_pages = geometry.refine_pages_for(entries);
    uint32_t offset = geometry.blocks_offset() + geometry.max_blocks * geometry.block_bytes;
    geometry.attribute_offset[0] = offset;
    for (uint32_t i = 0; i < geometry.attributes.count; ++i) {
        offset += geometry.max_blocks * geometry.attributes.part_bytes(i);
        geometry.attribute_offset[i + 1] = offset;
    }
    return geometry;
}

// As many of these entries as leave none of their refine pages partly empty.
uint32_t filling_refine_pages(const ListGeometry& geometry, uint32_t entries) {
    if (geometry.slots_per_page > 0)
        return entries / geometry.slots_per_page * geometry.slots_per_page;
    const uint64_t pages = geometry.refine_pages_for(entries);
    return pages < 2 ? 0 : static_cast<uint32_t>((pages - 1) * kBodyBytes / geometry.slot_bytes);
}

// Fills in the members that follow from the entry's sizes: a list page takes as many entries as
// make its pages serve the most each.
void choose_entries(ListGeometry& geometry) {
    const uint32_t columns = geometry.factor_bytes + kLiveBytes;
    const uint32_t inside = geometry.block_code_bytes + columns;
    for (const bool codes_inside : {true, false}) {
        ListGeometry shape = geometry;
        shape.codes_inside = codes_inside;
        shape.block_bytes = codes_inside ? inside : columns;
        const uint32_t most =
            kBodyBytes / (shape.block_bytes + shape.attributes.block_bytes() + kPointerBytes) + 1;
        for (uint32_t blocks = 1; blocks <= most; ++blocks) {
            const uint32_t full = blocks * kBlockEntries;
            for (const uint32_t entries : {filling_refine_pages(shape, full), full}) {
                const ListGeometry candidate = with_entries(shape, entries);
                if (entries == 0 || candidate.used_bytes() > kBodyBytes) continue;
                if (geometry.max_entries == 0 || candidate.page_count() * geometry.max_entries <=
                                                     geometry.page_count() * entries) {
                    geometry = candidate;
                }
            }
        }
        // A block inside its page is read with one lock; that is worth a little space, not half.
        if (geometry.max_entries > 0 && codes_inside) {
            const uint32_t bytes = geometry.used_bytes() - geometry.blocks_offset();
            if (bytes * 10 >= kBodyBytes * 6) return;
        }
    }
}

ListGeometry with_entry_bytes(uint32_t row_code_bytes, uint32_t factor_bytes, uint32_t slot_bytes,
                              const AttributeWidths& attributes, uint32_t summary_bytes) {
    ListGeometry geometry{};
    geometry.summary_bytes = summary_bytes;
    geometry.attributes = attributes;
    geometry.row_code_bytes = row_code_bytes;
    geometry.block_code_bytes = row_code_bytes * kBlockEntries;
    geometry.factor_bytes = factor_bytes;
    geometry.slot_bytes = slot_bytes;
    geometry.slots_per_page =
        slot_bytes == 0 || slot_bytes > kMaxPackedSlotBytes ? 0 : kBodyBytes / slot_bytes;
    choose_entries(geometry);
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

uint64_t ListGeometry::pages_for(uint64_t entry_count) const {
    const uint64_t full = entry_count / max_entries;
    const auto rest = static_cast<uint32_t>(entry_count % max_entries);
    if (rest == 0 && full > 0) return full * page_count();
    return full * page_count() + 1 + code_pages_for(rest) + refine_pages_for(rest);
}

uint32_t AttributeWidths::part_bytes(uint32_t attribute) const {
    return kBlockEntries * width[attribute] + uint32_t{sizeof(uint32_t)};
}

uint32_t AttributeWidths::block_bytes() const {
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < count; ++i)
        bytes += part_bytes(i);
    return bytes;
}

ListGeometry list_geometry(Metric metric, uint32_t code_dims, Refine refine, uint32_t level,
                           const AttributeWidths& leaf_attributes) {
    const AttributeWidths attributes = level > 0 ? list_attributes() : leaf_attributes;
    const uint32_t summary = level > 0 ? 0 : summary_bytes(attributes.count);
    // Rows of bits are padded to whole words, so that the kernels never meet a tail.
    if (is_binary(metric)) {
        return with_entry_bytes((code_dims + 63) / 64 * 8, 0, 0, attributes, summary);
    }
    const Refine kept = level > 0 ? Refine::kFloat : refine;
    const uint32_t slot_bytes =
        kept == Refine::kNone
            ? 0
            : static_cast<uint32_t>(sizeof(RefineSlotHeader) + refine_bytes(kept, code_dims));
    return with_entry_bytes(code_dims / 8, 3 * kBlockEntries * sizeof(float), slot_bytes,
                            attributes, summary);
}

AttributeWidths list_attributes() {
    return {.count = 3, .width = {4, 4, 8}};
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
    IndexShape shape{.metric = meta.metric,
                     .dims = meta.dims,
                     .code_dims = binary ? meta.dims : IndexSpace::padded_dims(meta.dims),
                     .refine = binary ? Refine::kNone : meta.refine,
                     .depth = meta.depth,
                     .root_list = meta.root_list,
                     .leaf_count = meta.leaf_count,
                     .tree_version = meta.tree_version,
                     .levels = {}};
    const AttributeWidths attributes = attribute_widths(meta);
    for (uint32_t level = 0; level < 2; ++level) {
        shape.levels[level] =
            list_geometry(shape.metric, shape.code_dims, shape.refine, level, attributes);
    }
    return shape;
}

ListGeometry list_geometry(const MetaPage& meta, uint32_t level) {
    return meta.dims > 0 ? index_shape(meta).levels[level] : plain_list_geometry();
}

ListGeometry plain_list_geometry() {
    return with_entry_bytes(0, 0, 0, {}, 0);
}

}  // namespace lookalike

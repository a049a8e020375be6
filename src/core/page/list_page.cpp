#include "core/page/list_page.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace lookalike {
namespace {

const ListHeader* list_header(const uint8_t* page) {
    return reinterpret_cast<const ListHeader*>(page_body(page));
}

ListHeader* mutable_header(uint8_t* page) {
    return reinterpret_cast<ListHeader*>(page_body(page));
}

uint8_t* mutable_block(const ListGeometry& geometry, uint8_t* page, uint32_t block) {
    return page_body(page) + geometry.blocks_offset() + size_t{block} * geometry.block_bytes;
}

uint8_t* mutable_live(const ListGeometry& geometry, uint8_t* page, uint32_t block) {
    return mutable_block(geometry, page, block) + geometry.block_bytes - sizeof(uint32_t);
}

void set_link(uint8_t* page, uint32_t position, uint32_t block) {
    std::memcpy(page_body(page) + sizeof(ListHeader) + size_t{position} * 4, &block, 4);
}

void write_attribute(const ListGeometry& geometry, uint8_t* page, uint32_t index,
                     uint32_t attribute, uint64_t key, uint32_t is_null) {
    const uint32_t lane = index % kBlockEntries;
    const uint8_t width = geometry.attributes.width[attribute];
    uint8_t* part = page_body(page) + geometry.part_offset(attribute, index / kBlockEntries);
    std::memcpy(part + size_t{lane} * width, &key, width);
    uint32_t nulls;
    uint8_t* mask = part + size_t{kBlockEntries} * width;
    std::memcpy(&nulls, mask, sizeof nulls);
    nulls &= ~(uint32_t{1} << lane);
    nulls |= is_null << lane;
    std::memcpy(mask, &nulls, sizeof nulls);
}

void write_attributes(const ListGeometry& geometry, uint8_t* page, uint32_t index,
                      const AttributeKeys& attributes) {
    for (uint32_t i = 0; i < geometry.attributes.count; ++i)
        write_attribute(geometry, page, index, i, attributes.keys[i], attributes.nulls >> i & 1);
}

}  // namespace

uint8_t* mutable_summary(const ListGeometry& geometry, uint8_t* page) {
    return page_body(page) + geometry.summary_offset();
}

void init_page(uint8_t* page, PageKind kind, uint32_t list_id, uint32_t owner) {
    std::memset(page_body(page), 0, kBodyBytes);
    *page_trailer(page) = {.list_id = list_id,
                           .next = kNoBlock,
                           .owner = owner,
                           .kind = kind,
                           .version = kFormatVersion,
                           .page_id = kPageId};
}

const char* page_fault(const uint8_t* page, PageKind kind) {
    const PageTrailer* trailer = page_trailer(page);
    if (trailer->page_id != kPageId) return "the page does not belong to a faiss index";
    if (trailer->version != kFormatVersion) return "the page has another format version";
    if (trailer->kind != kind) return "the page is of another kind";
    return nullptr;
}

bool belongs_to(const uint8_t* page, PageKind kind, uint32_t list_id, uint32_t list_page) {
    const PageTrailer* trailer = page_trailer(page);
    return page_fault(page, kind) == nullptr && trailer->list_id == list_id &&
           trailer->owner == list_page;
}

bool is_page_of_list(const uint8_t* page, uint32_t list_id) {
    return page_fault(page, PageKind::kList) == nullptr && page_trailer(page)->list_id == list_id;
}

uint16_t list_level(const uint8_t* page) {
    return list_header(page)->level;
}

void set_list_level(uint8_t* page, uint16_t level) {
    mutable_header(page)->level = level;
}

InsertPlace insert_place(const uint8_t* page) {
    return {list_header(page)->insert_block, list_header(page)->insert_position};
}

void set_insert_place(uint8_t* page, InsertPlace place) {
    mutable_header(page)->insert_block = place.block;
    mutable_header(page)->insert_position = place.position;
}

uint32_t whole_until(const uint8_t* page) {
    return list_header(page)->whole_until;
}

void set_whole_until(uint8_t* page, uint32_t entries) {
    mutable_header(page)->whole_until = entries;
}

const char* list_page_fault(const ListGeometry& geometry, const uint8_t* page) {
    if (const char* fault = page_fault(page, PageKind::kList)) return fault;
    const ListPageView view(geometry, page);
    if (view.header().block_count > geometry.max_blocks) return "the page claims too many blocks";
    if (view.header().block_count == geometry.max_blocks &&
        (view.live(geometry.max_blocks - 1) & ~geometry.last_lanes()) != 0)
        return "an entry lies beyond the places of the page";
    for (uint32_t i = 0; i < geometry.code_pages_for(view.entry_places()); ++i) {
        if (view.code_pages()[i] == kNoBlock) return "a code page is missing";
    }
    return nullptr;
}

ScanColumns ListPageView::columns(uint32_t block) const {
    const float* base = reinterpret_cast<const float*>(factors(block));
    return {base, base + kBlockEntries, base + 2 * kBlockEntries};
}

uint32_t ListPageView::live_count() const {
    uint32_t count = 0;
    for (uint32_t block = 0; block < header().block_count; ++block)
        count += static_cast<uint32_t>(std::popcount(live(block)));
    return count;
}

std::optional<uint32_t> ListPageView::free_index() const {
    for (uint32_t block = 0; block < header().block_count; ++block) {
        const uint32_t free = ~live(block);
        const uint32_t index =
            block * kBlockEntries + static_cast<uint32_t>(std::countr_zero(free));
        if (free != 0 && index < geometry_->max_entries) return index;
    }
    if (header().block_count < geometry_->max_blocks) return header().block_count * kBlockEntries;
    return std::nullopt;
}

void write_entry(const ListGeometry& geometry, uint8_t* page, uint32_t index,
                 const EncodedEntry& entry) {
    const uint32_t block = index / kBlockEntries;
    const uint32_t lane = index % kBlockEntries;
    uint8_t* at = mutable_block(geometry, page, block);
    if (geometry.codes_inside) {
        write_code(geometry, at, index, entry);
        at += geometry.block_code_bytes;
    }
    if (geometry.factor_bytes > 0) {
        float* column = reinterpret_cast<float*>(at);
        column[lane] = entry.factors.base;
        column[kBlockEntries + lane] = entry.factors.scale;
        column[2 * kBlockEntries + lane] = entry.factors.error;
    }
    std::memcpy(page_body(page) + geometry.pointers_offset() + index * sizeof entry.pointer,
                &entry.pointer, sizeof entry.pointer);
    if (entry.attributes != nullptr) write_attributes(geometry, page, index, *entry.attributes);
    uint8_t* live = mutable_live(geometry, page, block);
    uint32_t mask;
    std::memcpy(&mask, live, sizeof mask);
    mask |= uint32_t{1} << lane;
    std::memcpy(live, &mask, sizeof mask);
    ListHeader* header = mutable_header(page);
    if (header->block_count <= block) header->block_count = static_cast<uint16_t>(block + 1);
}

PageParts entry_parts(const ListGeometry& geometry, uint32_t index) {
    const uint32_t block = index / kBlockEntries;
    PageParts parts;
    const auto add = [&](uint32_t offset, uint32_t length) {
        parts.add(kPageHeaderBytes + offset, length);
    };
    add(0, sizeof(ListHeader));
    add(geometry.blocks_offset() + block * geometry.block_bytes, geometry.block_bytes);
    add(geometry.pointers_offset() + index * uint32_t{sizeof(EntryPointer)}, sizeof(EntryPointer));
    for (uint32_t i = 0; i < geometry.attributes.count; ++i)
        add(geometry.part_offset(i, block), geometry.attributes.part_bytes(i));
    return parts;
}

AttributeKeys read_attributes(const ListPageView& page, uint32_t index) {
    AttributeKeys attributes{};
    attributes.widths = page.attributes();
    const uint32_t lane = index % kBlockEntries;
    for (uint32_t i = 0; i < attributes.widths.count; ++i) {
        const uint8_t width = attributes.widths.width[i];
        const uint8_t* part = page.attribute_part(i, index / kBlockEntries);
        uint32_t nulls;
        std::memcpy(&nulls, part + size_t{kBlockEntries} * width, sizeof nulls);
        if (nulls >> lane & 1) {
            attributes.nulls |= uint32_t{1} << i;
        } else {
            std::memcpy(&attributes.keys[i], part + size_t{lane} * width, width);
        }
    }
    return attributes;
}

void set_attribute(const ListGeometry& geometry, uint8_t* page, uint32_t index, uint32_t attribute,
                   uint64_t key) {
    write_attribute(geometry, page, index, attribute, key, 0);
}

void write_code(const ListGeometry& geometry, uint8_t* block_codes, uint32_t index,
                const EncodedEntry& entry) {
    const uint32_t lane = index % kBlockEntries;
    if (geometry.row_code_bytes == 0) return;
    if (geometry.factor_bytes > 0) {
        set_code(block_codes, lane, entry.code, geometry.row_code_bytes * 2);
    } else {
        std::memcpy(block_codes + size_t{lane} * geometry.row_code_bytes, entry.code,
                    geometry.row_code_bytes);
    }
}

AttributeKeys list_keys(uint32_t born, uint32_t retired) {
    AttributeKeys attributes{};
    attributes.widths = list_attributes();
    attributes.keys[kBorn] = born;
    attributes.keys[kRetired] = retired;
    return attributes;
}

void clear_entry(const ListGeometry& geometry, uint8_t* page, uint32_t index) {
    uint8_t* live = mutable_live(geometry, page, index / kBlockEntries);
    uint32_t mask;
    std::memcpy(&mask, live, sizeof mask);
    mask &= ~(uint32_t{1} << (index % kBlockEntries));
    std::memcpy(live, &mask, sizeof mask);
}

void set_code_page(const ListGeometry&, uint8_t* page, uint32_t position, uint32_t block) {
    set_link(page, position, block);
}

void set_refine_page(const ListGeometry& geometry, uint8_t* page, uint32_t position,
                     uint32_t block) {
    set_link(page, geometry.max_code_pages + position, block);
}

}  // namespace lookalike

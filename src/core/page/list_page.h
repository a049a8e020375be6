// One list page: reading its blocks, finding a free place, writing an entry.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/code/scan_code.h"
#include "core/page/list_geometry.h"
#include "core/page/page_parts.h"

namespace lookalike {

inline const PageTrailer* page_trailer(const uint8_t* page) {
    return reinterpret_cast<const PageTrailer*>(page + kPageBytes - sizeof(PageTrailer));
}
inline PageTrailer* page_trailer(uint8_t* page) {
    return reinterpret_cast<PageTrailer*>(page + kPageBytes - sizeof(PageTrailer));
}
inline const uint8_t* page_body(const uint8_t* page) {
    return page + kPageHeaderBytes;
}
inline uint8_t* page_body(uint8_t* page) {
    return page + kPageHeaderBytes;
}

/// Fills in a trailer and clears the body. The caller has made PostgreSQL's header.
void init_page(uint8_t* page, PageKind kind, uint32_t list_id, uint32_t owner);

/// What is wrong with a page's trailer, or null. Checks its id, version and kind.
const char* page_fault(const uint8_t* page, PageKind kind);

/// Whether it is a page of this kind, and this list page's.
bool belongs_to(const uint8_t* page, PageKind kind, uint32_t list_id, uint32_t list_page);

/// Whether it is a list page, and this list's.
bool is_page_of_list(const uint8_t* page, uint32_t list_id);

/// Of any list page, whatever the geometry of its list. REQUIRES: page_fault() found nothing.
uint16_t list_level(const uint8_t* page);
void set_list_level(uint8_t* page, uint16_t level);

/// Of a list's first page: where an inserter looks first, and how many pages of the list come
/// before. kNoBlock: that page itself.
struct InsertPlace {
    uint32_t block;
    uint32_t position;
};
InsertPlace insert_place(const uint8_t* page);
void set_insert_place(uint8_t* page, InsertPlace place);

/// Of a list's first page: with fewer entries nobody tries to split the list.
uint32_t whole_until(const uint8_t* page);
void set_whole_until(uint8_t* page, uint32_t entries);

/// What is wrong with a list page, or null: page_fault, and counts and links within the geometry.
/// Every reader calls it before it follows anything on the page.
const char* list_page_fault(const ListGeometry& geometry, const uint8_t* page);

/// Reads a list page. Does not own. REQUIRES: list_page_fault() found nothing.
class ListPageView {
  public:
    ListPageView(const ListGeometry& geometry, const uint8_t* page)
        : geometry_(&geometry), body_(page_body(page)) {}

    const ListHeader& header() const { return *reinterpret_cast<const ListHeader*>(body_); }
    const uint32_t* code_pages() const {
        return reinterpret_cast<const uint32_t*>(body_ + geometry_->arrays_offset());
    }
    const uint32_t* refine_pages() const { return code_pages() + geometry_->max_code_pages; }

    /// Of a list's first page; REQUIRES: summary_bytes > 0.
    const uint8_t* summary() const { return body_ + geometry_->summary_offset(); }

    /// One bit for each entry of a block, the lowest for the first: set while it is in use.
    uint32_t live(uint32_t block) const;
    EntryPointer pointer(uint32_t index) const;
    ScanColumns columns(uint32_t block) const;
    /// REQUIRES: codes_inside.
    const uint8_t* codes(uint32_t block) const { return block_start(block); }

    /// A block's keys of a filter attribute, then its NULL bits; unaligned.
    const uint8_t* attribute_part(uint32_t attribute, uint32_t block) const {
        return body_ + geometry_->part_offset(attribute, block);
    }
    const AttributeWidths& attributes() const { return geometry_->attributes; }

    /// The entries of its blocks, in use or not.
    uint32_t entry_places() const {
        return std::min<uint32_t>(header().block_count * kBlockEntries, geometry_->max_entries);
    }
    bool is_live(uint32_t index) const {
        return live(index / kBlockEntries) >> (index % kBlockEntries) & 1;
    }
    uint32_t live_count() const;

    /// The first entry that is free, if one is.
    std::optional<uint32_t> free_index() const;

  private:
    const uint8_t* block_start(uint32_t block) const {
        return body_ + geometry_->blocks_offset() + size_t{block} * geometry_->block_bytes;
    }
    const uint8_t* factors(uint32_t block) const {
        return block_start(block) + (geometry_->codes_inside ? geometry_->block_code_bytes : 0);
    }

    const ListGeometry* geometry_;
    const uint8_t* body_;
};

/// Filter attributes of a row as order-preserving keys; a key of `width` 4 uses the low half.
struct AttributeKeys {
    AttributeWidths widths;
    uint64_t keys[kMaxAttributes];
    uint32_t nulls;  ///< a bit for each attribute
};

inline uint32_t ListPageView::live(uint32_t block) const {
    uint32_t mask;
    std::memcpy(&mask, block_start(block) + geometry_->block_bytes - sizeof mask, sizeof mask);
    return mask;
}

inline EntryPointer ListPageView::pointer(uint32_t index) const {
    EntryPointer pointer;
    std::memcpy(&pointer, body_ + geometry_->pointers_offset() + index * sizeof pointer,
                sizeof pointer);
    return pointer;
}

/// What an index keeps of one row or child list, made once and written to one place.
struct EncodedEntry {
    EntryPointer pointer;
    ScanFactors factors;                        ///< unused when factor_bytes is 0
    const uint8_t* code;                        ///< row_code_bytes: signs, or the bits themselves
    const uint8_t* refine;                      ///< slot_bytes less the slot header
    const AttributeKeys* attributes = nullptr;  ///< null where the geometry has none
    float radius = 0;  ///< at least the distance from the centroid, in index space; 0 for bits
};

/// Writes pointer, factors and, when they are inside, the code of an entry, and marks it live.
/// REQUIRES: index < max_entries.
void write_entry(const ListGeometry& geometry, uint8_t* page, uint32_t index,
                 const EncodedEntry& entry);

/// What write_entry() may change of the page.
PageParts entry_parts(const ListGeometry& geometry, uint32_t index);

/// Writes an entry's code into the block of codes it belongs to (block_code_bytes).
void write_code(const ListGeometry& geometry, uint8_t* block_codes, uint32_t index,
                const EncodedEntry& entry);

/// The filter attributes of an entry, as write_entry() put them there.
AttributeKeys read_attributes(const ListPageView& page, uint32_t index);

/// Changes one of an entry's attributes to a key that is not NULL.
void set_attribute(const ListGeometry& geometry, uint8_t* page, uint32_t index, uint32_t attribute,
                   uint64_t key);

/// The summary of the list that this page is the first of, to be changed.
uint8_t* mutable_summary(const ListGeometry& geometry, uint8_t* page);

/// The attributes of an entry of the root (ListAttribute).
AttributeKeys list_keys(uint32_t born, uint32_t retired);

/// Whether an entry of the root is in the tree at this version.
inline bool is_in_tree(const AttributeKeys& list, uint32_t version) {
    return list.keys[kBorn] <= version && version < list.keys[kRetired];
}

/// Marks an entry free. Its bytes stay.
void clear_entry(const ListGeometry& geometry, uint8_t* page, uint32_t index);

void set_code_page(const ListGeometry& geometry, uint8_t* page, uint32_t position, uint32_t block);
void set_refine_page(const ListGeometry& geometry, uint8_t* page, uint32_t position,
                     uint32_t block);

}  // namespace lookalike

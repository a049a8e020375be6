// How many bytes an entry of a list takes where, and how many entries a list page governs.
//
// A *list page* governs up to max_entries entries in blocks of 32. Their scan codes lie inside it
// or, when they are too wide, in *code pages*; the refine slots lie in *refine pages*. Both are
// byte streams over pages that belong to this one list page and are named in it.
#pragma once

#include <cstdint>

#include "core/page/page_format.h"
#include "core/vector/element.h"

namespace lookalike {

/// Where bytes of a stream lie: from `offset` of the body of the stream's page `page_index` on, and
/// on the following pages from their start.
struct StreamPlace {
    uint32_t page_index;
    uint32_t offset;
};

/// Bytes of each filter attribute's key: 4 or 8.
struct AttributeWidths {
    uint32_t count = 0;
    uint8_t width[kMaxAttributes] = {};

    /// Of a block's part of an attribute's column: 32 keys and a word of NULL bits.
    uint32_t part_bytes(uint32_t attribute) const;
    /// Of these parts of all attributes.
    uint32_t block_bytes() const;
};

struct ListGeometry {
    uint32_t row_code_bytes;     ///< scan code of one entry
    uint32_t block_code_bytes;   ///< of 32 entries
    AttributeWidths attributes;  ///< filter attributes; of inner lists, list_attributes()
    uint32_t factor_bytes;       ///< three columns of 32 floats, or 0 (binary and plain lists)
    uint32_t slot_bytes;         ///< refine slot with its header, or 0: none
    uint32_t slots_per_page;     ///< 0: slots run on from page to page
    bool codes_inside;           ///< of the list page
    uint32_t summary_bytes;      ///< kept on every page, used on a list's first; 0: none
    uint32_t block_bytes;        ///< of a block within the list page, without what follows all
    uint32_t max_entries;        ///< that one list page governs
    uint32_t max_blocks;         ///< that they take; the last need not be full
    uint32_t max_code_pages;
    uint32_t max_refine_pages;
    /// Of each attribute's column, a part for each block; then where the last ends.
    uint32_t attribute_offset[kMaxAttributes + 1];

    /// Of the places of the last block, those that may be taken.
    uint32_t last_lanes() const {
        return ~uint32_t{0} >> (max_blocks * kBlockEntries - max_entries);
    }
    /// A full list page with all that belongs to it.
    uint64_t page_count() const { return uint64_t{1} + max_code_pages + max_refine_pages; }
    uint32_t arrays_offset() const { return sizeof(ListHeader); }
    uint32_t summary_offset() const {
        return arrays_offset() + 4 * (max_code_pages + max_refine_pages);
    }
    uint32_t blocks_offset() const { return summary_offset() + summary_bytes; }
    uint32_t pointers_offset() const { return attribute_offset[attributes.count]; }
    /// Of a block's part of an attribute's column.
    uint32_t part_offset(uint32_t attribute, uint32_t block) const {
        return attribute_offset[attribute] + block * attributes.part_bytes(attribute);
    }
    uint32_t used_bytes() const {
        return pointers_offset() + max_entries * uint32_t{sizeof(EntryPointer)};
    }

    /// The refine slot of entry `index`, slot_bytes long. REQUIRES: slot_bytes > 0.
    StreamPlace slot_place(uint32_t index) const;

    /// The code of block `index`, block_code_bytes long. REQUIRES: !codes_inside.
    StreamPlace code_place(uint32_t index) const;

    /// Pages of each stream that the first `entry_count` entries need.
    uint32_t code_pages_for(uint32_t entry_count) const;
    uint32_t refine_pages_for(uint32_t entry_count) const;

    /// Pages of a list with so many entries and no gaps.
    uint64_t pages_for(uint64_t entry_count) const;
};

/// For a list of descriptors at some level of the tree. `code_dims`: padded dimensions, or for
/// binary metrics the dimensions themselves. Inner lists keep float centroids whatever `refine` is.
/// Leaf lists have the filter attributes, inner lists those of ListAttribute.
ListGeometry list_geometry(Metric metric, uint32_t code_dims, Refine refine, uint32_t level,
                           const AttributeWidths& attributes = {});

/// What a search must know of an index.
struct IndexShape {
    Metric metric;
    uint32_t dims;
    uint32_t code_dims;  ///< padded; binary metrics: dims
    Refine refine;       ///< kNone for binary metrics
    uint32_t depth;      ///< 1 or 2
    uint32_t root_list;
    uint32_t leaf_count;
    uint32_t tree_version;
    ListGeometry levels[2];
};

AttributeWidths attribute_widths(const MetaPage& meta);

/// Those of the entries of inner lists, as ListAttribute counts them.
AttributeWidths list_attributes();

/// REQUIRES: meta.dims > 0.
IndexShape index_shape(const MetaPage& meta);

/// Plain while the dimensions are unknown.
ListGeometry list_geometry(const MetaPage& meta, uint32_t level);

/// For the lists of rows that have no place in the metric: pointers only.
ListGeometry plain_list_geometry();

}  // namespace lookalike

// The index on disk: every struct that a page holds. docs/INDEX_FORMAT.md draws them.
//
// A page is PostgreSQL's 24 bytes of header, a body of kBodyBytes, and PageTrailer in the special
// space. Pages have no hole: pd_lower and pd_upper both point at the trailer, because Generic WAL
// zeroes what lies between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/code/refine_code.h"
#include "core/code/scan_kernel.h"
#include "core/vector/metric.h"

namespace lookalike {

constexpr uint32_t kPageBytes = 8192;
constexpr uint32_t kPageHeaderBytes = 24;
constexpr uint32_t kNoBlock = 0;  ///< block 0 is the meta page: no link ever points at it
constexpr uint32_t kMetaMagic = 0x4c4f4f4b;
constexpr uint8_t kFormatVersion = 6;
constexpr uint16_t kPageId = 0xFA15;
constexpr uint32_t kMaxAttributes = 8;

/// Never reuse a number. A page that was never initialised is all zero, hence kind 0.
enum class PageKind : uint8_t {
    kNone = 0,
    kMeta = 1,
    kVector = 2,  ///< the mean of the table, kNoBlock-terminated chain
    kList = 3,    ///< entries of a list: scan codes (or where they are), factors, TIDs
    kCode = 4,    ///< scan codes of one list page whose blocks are too wide for it
    kRefine = 5,  ///< refine slots of one list page
    kFree = 6,    ///< may be taken from the free space map
};

/// Whose type the indexed column has. Never reuse a number.
enum class ValueType : uint8_t {
    kOwn = 0,      ///< descriptor, local_features
    kVector = 1,   ///< vector of pgvector
    kHalfvec = 2,  ///< halfvec of pgvector
    kBit = 3,      ///< bit of PostgreSQL
};

/// What an index holds. Never reuse a number.
enum class Content : uint8_t {
    kDescriptors = 0,    ///< an entry a row
    kLocalFeatures = 1,  ///< an entry a feature, of its code, and one of each row
};

/// The last 16 bytes of every page.
struct PageTrailer {
    uint32_t list_id;  ///< first block of the list that owns the page; 0 for meta and vector pages
    uint32_t next;     ///< the next page of the chain, or kNoBlock
    uint32_t owner;    ///< code and refine pages: the list page that they belong to
    PageKind kind;
    uint8_t version;
    uint16_t page_id;  ///< kPageId: tells tools whose page this is
};
static_assert(sizeof(PageTrailer) == 16);

constexpr uint32_t kBodyBytes = kPageBytes - kPageHeaderBytes - sizeof(PageTrailer);
static_assert(kBodyBytes == 8152);

/// A filter attribute's column in leaf lists.
struct AttributeFormat {
    uint32_t type;   ///< OID of the column's type
    uint16_t width;  ///< bytes of a key: 4 or 8
    uint16_t reserved;
};
static_assert(sizeof(AttributeFormat) == 8);

/// Block 0, at the start of the body.
struct MetaPage {
    uint32_t magic;
    uint8_t version;
    Metric metric;
    uint8_t kind;  ///< element kind of the column, 0xff while unknown
    Refine refine;
    uint32_t dims;   ///< 0 while unknown: an empty table without a type modifier
    uint32_t depth;  ///< levels of lists: 1 = the root is a leaf
    uint64_t rotation_seed;
    uint64_t build_id;    ///< changes when anything that a backend may cache changes
    uint32_t leaf_count;  ///< lists at level 0
    uint32_t root_list;   ///< first block of the root
    uint32_t null_list;   ///< rows without a descriptor
    uint32_t
        nan_list;  ///< rows without a direction (cosine); local features: every row with a value
    uint32_t mean_block;  ///< first page of the mean, or kNoBlock: it is zero
    uint32_t attribute_count;
    uint64_t built_rows;     ///< rows that the build wrote
    uint32_t tree_version;   ///< counts the changes of the tree (docs/INDEX_FORMAT.md)
    uint32_t payload_bytes;  ///< of an entry, beside its vector: 0, others are refused
    uint64_t splits;         ///< lists that were parted since the build
    uint64_t merges;         ///< lists that were joined to another one
    uint64_t split_time;     ///< microseconds that both took
    uint32_t list_option;    ///< the option "lists" as the build took it
    Content content;         ///< what a row has in it
    uint8_t local_kind;      ///< local features: a LocalKind, 0 while unknown
    ValueType value_type;    ///< whose type the column has
    uint8_t reserved1;       ///< 0
    uint32_t reserved[6];    ///< 0
    AttributeFormat attributes[kMaxAttributes];
    uint8_t calibration[2048];  ///< a Calibration (core/measure/calibration_record.h), then zeros
    uint32_t mean_checksum;     ///< of the mean's floats; 0 without
    uint32_t checksum;          ///< of all above
};
static_assert(sizeof(MetaPage) == 192 + 2048 + 8);
static_assert(sizeof(MetaPage) <= kBodyBytes);

/// At the start of a list page's body. Then come the block numbers of its code pages, of its refine
/// pages, in leaf lists a summary (core/page/list_summary.h), and its blocks of 32 entries.
struct ListHeader {
    uint32_t insert_block;     ///< first page of a list only: where an inserter looks first
    uint16_t level;            ///< 0: entries are rows; above: entries are lists
    uint16_t block_count;      ///< blocks in use
    uint32_t insert_position;  ///< pages of the chain before insert_block, as far as is known
    uint32_t whole_until;      ///< first page: with fewer entries nobody tries to split the list
};
static_assert(sizeof(ListHeader) == 16);

/// What an entry of the root, a list, has in place of filter attributes: at which version of the
/// tree it came and went (docs/INDEX_FORMAT.md).
enum ListAttribute : uint32_t {
    kBorn = 0,        ///< 4 bytes: in the tree from this version on
    kRetired = 1,     ///< 4 bytes: until before this version, or kInTree
    kRetiredXid = 2,  ///< 8 bytes: no transaction before this one looks at it; 0: not known
};
constexpr uint32_t kInTree = 0xffffffff;

/// A heap TID, or for an inner entry (first block of the child, 1); unaligned, as PostgreSQL's.
struct EntryPointer {
    uint16_t block_high;
    uint16_t block_low;
    uint16_t offset;

    uint32_t block() const { return uint32_t{block_high} << 16 | block_low; }
    bool operator==(const EntryPointer&) const = default;
};
static_assert(sizeof(EntryPointer) == 6 && alignof(EntryPointer) == 2);

constexpr EntryPointer entry_pointer(uint32_t block, uint16_t offset) {
    return {static_cast<uint16_t>(block >> 16), static_cast<uint16_t>(block), offset};
}

/// Before the refine code of an entry: a slot with another pointer is another entry's.
struct RefineSlotHeader {
    EntryPointer pointer;
    uint16_t checksum;  ///< of pointer and code (core/page/refine_slot.h)
};
static_assert(sizeof(RefineSlotHeader) == 8);

}  // namespace lookalike

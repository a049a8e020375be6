// What of a list page's entries does not lie in it: its code pages and its refine pages are two
// streams of bytes, of which a block's codes or an entry's slot is a stretch.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

/// A stretch of a stream that may run over several pages. Does not own.
struct StreamStretch {
    PageKind kind;  ///< kCode or kRefine
    BlockNumber list_id;
    BlockNumber list_page;     ///< that the stream belongs to
    const BlockNumber* pages;  ///< of the stream, from that of the stretch's first byte on
    uint32 page_count;
    uint32 offset;  ///< of the first byte in its page's body
    uint32 length;
};

/// The codes of a block, the slot of an entry: of `page`, a list page that lies at `list_page`.
/// They point into `page`. REQUIRES: codes outside, or slots; list_page_fault() found nothing.
StreamStretch code_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 block);
StreamStretch slot_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 entry);

/// The bits of one entry: of its block's codes, of a binary metric.
StreamStretch bits_stretch(const ListGeometry& geometry, const uint8_t* page, BlockNumber list_page,
                           uint32 entry);

/// Copies a stretch, checking that its pages are of their kind and belong to the list page; false
/// when VACUUM has recycled them.
bool copy_stretch(Relation index, const StreamStretch& stretch, uint8_t* to);

/// The codes of a block of `page`, a copy of the list page that lies at `list_page`: in it, or read
/// into `room`, which has block_code_bytes. Null when VACUUM has recycled their pages.
const uint8_t* codes_of_block(Relation index, const ListGeometry& geometry, const uint8_t* page,
                              BlockNumber list_page, uint32 block, uint8_t* room);

/// Whether the locked page is one of this leaf list; false: VACUUM or a split has taken it away.
/// Raises where it never was.
bool is_still_of_list(Relation index, Buffer buffer, BlockNumber list_id);

/// Raises unless the locked page, which is not what it was taken for, may have become what it is.
void check_recyclable(Relation index, Buffer buffer, PageKind kind);

}  // namespace lookalike

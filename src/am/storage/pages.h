// Reading and allocating the pages of an index.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

#include "am/storage/page_change.h"
#include "core/page/list_page.h"

namespace lookalike {

static_assert(BLCKSZ == kPageBytes, "lookalike needs PostgreSQL's standard block size");

constexpr BlockNumber kMetaBlock = 0;

/// Tells one build of an index from the next. 0 is none.
using RelationFile = uint64_t;
inline RelationFile relation_file(Relation relation) {
    return relation->rd_locator.relNumber;
}

/// Pins `block` if it is still in `buffer`.
inline bool read_recent_buffer(Relation relation, BlockNumber block, Buffer buffer) {
    return ReadRecentBuffer(relation->rd_locator, MAIN_FORKNUM, block, buffer);
}

inline uint8_t* buffer_bytes(Buffer buffer) {
    return reinterpret_cast<uint8_t*>(BufferGetPage(buffer));
}

/// Raises ERRCODE_INDEX_CORRUPTED with a REINDEX hint.
[[noreturn]] void raise_corrupted(Relation index, BlockNumber block, const char* fault);

/// Raises when a chain has had more pages than the index has: it runs in a circle. The page that
/// `length` counts last need not be locked.
void check_chain(Relation index, BlockNumber first_block, uint32 length);

/// Pins a page; raises when the block lies beyond the end. Remembers where in shared buffers pages
/// were found, which saves most look-ups.
Buffer pin_page(Relation index, BlockNumber block);

/// Pins and locks a page; raises when the block lies beyond the end.
Buffer lock_page(Relation index, BlockNumber block, int mode);

/// Where a page that will be wanted soon probably lies in memory, null: not known. Good for
/// prefetch() alone: by now it may be another page. Pins nothing.
const uint8_t* expect_page(Relation index, BlockNumber block);

/// Tells the processor that expect_page() will be asked for this one.
void prefetch_hint(Relation index, BlockNumber block);

/// Tells the processor that a shared buffer will be pinned soon.
void prefetch_descriptor(Buffer buffer);

/// Tells the processor that these bytes will be wanted soon.
inline void prefetch(const uint8_t* from, size_t length) {
    constexpr size_t kCacheLineBytes = 64;
    for (size_t at = 0; at < length; at += kCacheLineBytes)
        __builtin_prefetch(from + at);
}

/// Raises unless the locked page is of this kind and, for list pages, sound.
void check_page(Relation index, Buffer buffer, PageKind kind);
void check_list_page(Relation index, Buffer buffer, const ListGeometry& geometry);

/// Copies a page of a list to `page` (BLCKSZ) and returns the next of its chain. Raises unless it
/// is sound and the list's.
BlockNumber copy_page_of_list(Relation index, BlockNumber block, BlockNumber list_id,
                              const ListGeometry& geometry, uint8_t* page);

/// Makes PostgreSQL's header and ours in zeroed memory.
void make_page(uint8_t* page, PageKind kind, BlockNumber list_id, BlockNumber owner);

/// A pinned and exclusively locked page that nobody else knows: a free one, or a new one at the
/// end. The caller initialises it under WAL.
Buffer allocate_page(Relation index);

/// A copy of the meta page's struct; raises when it is not one of ours or of another version.
MetaPage read_meta(Relation index);

}  // namespace lookalike

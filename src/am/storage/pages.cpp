#include "am/storage/pages.h"

extern "C" {
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
}

#include "am/storage/free_pages.h"
#include "core/page/meta_page.h"

namespace lookalike {
namespace {

// Where this backend last found the pages of its indexes. A search touches hundreds of pages;
// finding each in the buffer table, under its locks, cost a fifth of a query. Pages share places,
// so a hint may be another page's; ReadRecentBuffer() looks whose it is.
constexpr uint32 kHintCount = 65536;
Buffer* hints = nullptr;

Buffer* hint_for(RelationFile file, BlockNumber block) {
    if (hints == nullptr) {
        hints = static_cast<Buffer*>(
            MemoryContextAllocZero(TopMemoryContext, sizeof(Buffer) * kHintCount));
    }
    return &hints[(block + static_cast<uint32>(file) * 2654435761u) % kHintCount];
}

}  // namespace

void raise_corrupted(Relation index, BlockNumber block, const char* fault) {
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("index \"%s\" is corrupted at block %u", RelationGetRelationName(index), block),
             errdetail("%s.", fault), errhint("REINDEX it.")));
    pg_unreachable();
}

// Asking for the size is a system call, so the last answer is kept; should the index have shrunk,
// reading the block fails all the same.
static bool lies_inside(Relation index, BlockNumber block) {
    static Oid known_index = InvalidOid;
    static BlockNumber known_size = 0;
    if (known_index != RelationGetRelid(index) || block >= known_size) {
        known_size = RelationGetNumberOfBlocks(index);
        known_index = RelationGetRelid(index);
    }
    return block < known_size;
}

void check_chain(Relation index, BlockNumber first_block, uint32 length) {
    if (!lies_inside(index, length)) {
        raise_corrupted(index, first_block, "a chain of pages runs in a circle");
    }
}

Buffer lock_page(Relation index, BlockNumber block, int mode) {
    const Buffer buffer = pin_page(index, block);
    LockBuffer(buffer, mode);
    return buffer;
}

Buffer pin_page(Relation index, BlockNumber block) {
    // The links of a damaged page may lead anywhere, P_NEW included.
    if (!lies_inside(index, block)) {
        raise_corrupted(index, block, "a link leads beyond the end of the index");
    }
    Buffer* hint = hint_for(relation_file(index), block);
    if (*hint != InvalidBuffer && read_recent_buffer(index, block, *hint)) {
        pgstat_count_buffer_read(index);
        pgstat_count_buffer_hit(index);
        return *hint;
    }
    return *hint = ReadBuffer(index, block);
}

void prefetch_hint(Relation index, BlockNumber block) {
    __builtin_prefetch(hint_for(relation_file(index), block));
}

void prefetch_descriptor(Buffer buffer) {
    __builtin_prefetch(GetBufferDescriptor(static_cast<uint32>(buffer - 1)), 1);
}

const uint8_t* expect_page(Relation index, BlockNumber block) {
    const Buffer buffer = *hint_for(relation_file(index), block);
    if (buffer == InvalidBuffer || BufferIsLocal(buffer)) return nullptr;
    prefetch_descriptor(buffer);
    const uint8_t* page = buffer_bytes(buffer);
    __builtin_prefetch(page_trailer(page));
    return page;
}

void check_page(Relation index, Buffer buffer, PageKind kind) {
    if (const char* fault = page_fault(buffer_bytes(buffer), kind)) {
        raise_corrupted(index, BufferGetBlockNumber(buffer), fault);
    }
}

void check_list_page(Relation index, Buffer buffer, const ListGeometry& geometry) {
    if (const char* fault = list_page_fault(geometry, buffer_bytes(buffer))) {
        raise_corrupted(index, BufferGetBlockNumber(buffer), fault);
    }
}

BlockNumber copy_page_of_list(Relation index, BlockNumber block, BlockNumber list_id,
                              const ListGeometry& geometry, uint8_t* page) {
    const Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
    check_list_page(index, buffer, geometry);
    memcpy(page, buffer_bytes(buffer), BLCKSZ);
    UnlockReleaseBuffer(buffer);
    if (page_trailer(page)->list_id != list_id)
        raise_corrupted(index, block, "the page belongs to another list");
    return page_trailer(page)->next;
}

void make_page(uint8_t* page, PageKind kind, BlockNumber list_id, BlockNumber owner) {
    PageInit(reinterpret_cast<Page>(page), BLCKSZ, sizeof(PageTrailer));
    auto* header = reinterpret_cast<PageHeader>(page);
    header->pd_lower = header->pd_special;
    header->pd_upper = header->pd_special;
    init_page(page, kind, list_id, owner);
}

Buffer allocate_page(Relation index) {
    for (;;) {
        const BlockNumber block = GetFreeIndexPage(index);
        if (block == InvalidBlockNumber) break;
        const Buffer buffer = ReadBuffer(index, block);
        if (ConditionalLockBuffer(buffer)) {
            // The map may be stale: only the page itself knows that it is free.
            if (PageIsNew(BufferGetPage(buffer)) ||
                page_fault(buffer_bytes(buffer), PageKind::kFree) == nullptr) {
                return buffer;
            }
            LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
        }
        ReleaseBuffer(buffer);
    }
    for (;;) {
        extend_free_space_map(index);
        const bool is_shared = !RELATION_IS_LOCAL(index);
        if (is_shared) LockRelationForExtension(index, ExclusiveLock);
        const Buffer buffer = ReadBuffer(index, P_NEW);
        LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
        if (is_shared) UnlockRelationForExtension(index, ExclusiveLock);
        // Before it was locked, VACUUM may have taken it for a page that a crash left behind, and
        // another backend may have got it from the free space map.
        if (PageIsNew(BufferGetPage(buffer))) return buffer;
        UnlockReleaseBuffer(buffer);
    }
}

MetaPage read_meta(Relation index) {
    const Buffer buffer = lock_page(index, kMetaBlock, BUFFER_LOCK_SHARE);
    const uint8_t* page = buffer_bytes(buffer);
    const char* fault = page_fault(page, PageKind::kMeta);
    const uint8 page_version = page_trailer(page)->version;
    MetaPage meta;
    memcpy(&meta, page_body(page), sizeof meta);
    UnlockReleaseBuffer(buffer);
    if (meta.magic == kMetaMagic && meta.version == page_version &&
        page_version != kFormatVersion) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("index \"%s\" has format version %d, this library reads %d",
                               RelationGetRelationName(index), page_version, kFormatVersion),
                        errhint("REINDEX it.")));
    }
    if (fault == nullptr) fault = meta_fault(meta);
    if (fault != nullptr) raise_corrupted(index, kMetaBlock, fault);
    return meta;
}

}  // namespace lookalike

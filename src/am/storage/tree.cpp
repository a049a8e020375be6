#include "am/storage/tree.h"

extern "C" {
#include "storage/lmgr.h"
}

#include <algorithm>

namespace lookalike {
namespace {

void take_lists(Tree* tree, const ListPageView& view, BlockNumber block, uint32* room) {
    for (uint32 i = 0; i < view.entry_places(); ++i) {
        if (!view.is_live(i)) continue;
        if (tree->count == *room) {
            *room *= 2;
            tree->lists = static_cast<TreeList*>(
                repalloc_huge(tree->lists, sizeof(TreeList) * size_t{*room}));
        }
        const AttributeKeys keys = read_attributes(view, i);
        tree->lists[tree->count++] = {.list_id = view.pointer(i).block(),
                                      .root_page = block,
                                      .root_index = i,
                                      .born = static_cast<uint32>(keys.keys[kBorn]),
                                      .retired = static_cast<uint32>(keys.keys[kRetired]),
                                      .retired_xid = keys.keys[kRetiredXid]};
    }
}

bool is_shared(Relation index) {
    return !RELATION_IS_LOCAL(index);
}

}  // namespace

Tree read_tree(Relation index, const MetaPage& meta) {
    uint32 room = meta.leaf_count + 16;
    Tree tree{0, static_cast<TreeList*>(palloc(sizeof(TreeList) * size_t{room}))};
    if (meta.depth == 1) {
        tree.count = 1;
        tree.lists[0] = {meta.root_list, kNoBlock, 0, 0, kInTree, 0};
        return tree;
    }
    const ListGeometry geometry = list_geometry(meta, 1);
    BlockNumber block = meta.root_list;
    for (uint32 length = 0; block != kNoBlock; ++length) {
        CHECK_FOR_INTERRUPTS();
        check_chain(index, meta.root_list, length);
        const Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
        check_list_page(index, buffer, geometry);
        const uint8_t* page = buffer_bytes(buffer);
        if (page_trailer(page)->list_id != meta.root_list || list_level(page) == 0)
            raise_corrupted(index, block, "the page belongs to another list");
        take_lists(&tree, ListPageView(geometry, page), block, &room);
        block = page_trailer(page)->next;
        UnlockReleaseBuffer(buffer);
    }
    return tree;
}

bool ListNumbers::has(BlockNumber list) const {
    return std::binary_search(lists, lists + count, list);
}

static ListNumbers sorted_numbers(const Tree& tree, bool (*is_wanted)(const TreeList&, uint32),
                                  uint32 version) {
    ListNumbers numbers{
        0, static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * (size_t{tree.count} + 1)))};
    for (uint32 i = 0; i < tree.count; ++i) {
        if (is_wanted(tree.lists[i], version))
            numbers.lists[numbers.count++] = tree.lists[i].list_id;
    }
    std::sort(numbers.lists, numbers.lists + numbers.count);
    return numbers;
}

ListNumbers numbers_of(const Tree& tree) {
    return sorted_numbers(
        tree, [](const TreeList&, uint32) { return true; }, 0);
}

ListNumbers numbers_in_tree(const Tree& tree, uint32 version) {
    return sorted_numbers(
        tree, [](const TreeList& list, uint32 at) { return list.is_in_tree(at); }, version);
}

uint32 tree_version(Relation index) {
    const Buffer buffer = lock_page(index, kMetaBlock, BUFFER_LOCK_SHARE);
    const uint32 version =
        reinterpret_cast<const MetaPage*>(page_body(buffer_bytes(buffer)))->tree_version;
    UnlockReleaseBuffer(buffer);
    return version;
}

void lock_list(Relation index, BlockNumber list, LOCKMODE mode) {
    if (is_shared(index)) LockPage(index, list, mode);
}

void unlock_list(Relation index, BlockNumber list, LOCKMODE mode) {
    if (is_shared(index)) UnlockPage(index, list, mode);
}

bool try_lock_tree(Relation index) {
    return !is_shared(index) || ConditionalLockPage(index, kMetaBlock, ExclusiveLock);
}

void lock_tree(Relation index) {
    if (is_shared(index)) LockPage(index, kMetaBlock, ExclusiveLock);
}

void unlock_tree(Relation index) {
    if (is_shared(index)) UnlockPage(index, kMetaBlock, ExclusiveLock);
}

}  // namespace lookalike

#include "am/upkeep/tree_change.h"

extern "C" {
#include "access/transam.h"
}

#include "am/storage/list_append.h"
#include "am/upkeep/named_point.h"
#include "core/page/meta_page.h"

namespace lookalike {
namespace {

void change_root_entry(Relation index, const ListGeometry& inner, const TreeList& list,
                       void (*change_entry)(const ListGeometry&, uint8_t*, uint32, uint64),
                       uint64 value) {
    const Buffer buffer = lock_page(index, list.root_page, BUFFER_LOCK_EXCLUSIVE);
    check_list_page(index, buffer, inner);
    PageChange change(index);
    change_entry(inner, change.add(buffer), list.root_index, value);
    change.finish();
    UnlockReleaseBuffer(buffer);
}

void set_retired(const ListGeometry& inner, uint8_t* page, uint32 entry, uint64 version) {
    set_attribute(inner, page, entry, kRetired, version);
}

void set_retired_xid(const ListGeometry& inner, uint8_t* page, uint32 entry, uint64 xid) {
    set_attribute(inner, page, entry, kRetiredXid, xid);
}

void take_out(const ListGeometry& inner, uint8_t* page, uint32 entry, uint64) {
    clear_entry(inner, page, entry);
}

// Of a change that did not come true nothing may stay: the next one has its version.
void undo_unfinished(TreeChange* change) {
    const uint32 version = change->meta.tree_version;
    const ListGeometry inner = list_geometry(change->meta, 1);
    uint32 kept = 0;
    for (uint32 i = 0; i < change->tree.count; ++i) {
        TreeList list = change->tree.lists[i];
        if (list.born > version) {
            change_root_entry(change->index, inner, list, take_out, 0);
            named_point("undone_new");
            continue;
        }
        if (list.retired != kInTree && list.retired > version) {
            change_root_entry(change->index, inner, list, set_retired, kInTree);
            list.retired = kInTree;
            named_point("undone_old");
        }
        change->tree.lists[kept++] = list;
    }
    change->tree.count = kept;
}

}  // namespace

TreeChange begin_tree_change(Relation index) {
    TreeChange change{};
    change.index = index;
    change.meta = read_meta(index);
    change.tree = read_tree(index, change.meta);
    change.root = change.meta.depth == 1 ? kNoBlock : change.meta.root_list;
    if (change.meta.depth > 1) undo_unfinished(&change);
    return change;
}

const TreeList* find_list(const TreeChange& change, BlockNumber list) {
    for (uint32 i = 0; i < change.tree.count; ++i) {
        const TreeList& entry = change.tree.lists[i];
        if (entry.list_id == list && entry.is_in_tree(change.meta.tree_version)) return &entry;
    }
    return nullptr;
}

namespace {

void put_into_root(TreeChange* change, const ListGeometry& inner, EncodedEntry entry, uint32 born,
                   uint32 retired) {
    if (change->root == kNoBlock) {
        change->root = create_list(change->index, 1);
        named_point("root_made");
    }
    const AttributeKeys keys = list_keys(born, retired);
    entry.attributes = &keys;
    append_entry(change->index, change->root, inner, entry);
}

}  // namespace

void add_list(TreeChange* change, const ListGeometry& inner, const EncodedEntry& entry) {
    put_into_root(change, inner, entry, change->meta.tree_version + 1, kInTree);
    ++change->added;
}

void remove_list(TreeChange* change, const ListGeometry& inner, const TreeList& list,
                 const EncodedEntry& entry) {
    const uint32 version = change->meta.tree_version + 1;
    if (list.root_page == kNoBlock) {
        put_into_root(change, inner, entry, 0, version);
    } else {
        change_root_entry(change->index, inner, list, set_retired, version);
    }
    ++change->removed;
}

void finish_tree_change(TreeChange* change, bool is_split, uint64 microseconds) {
    const Buffer buffer = lock_page(change->index, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    PageChange page(change->index);
    auto* meta = reinterpret_cast<MetaPage*>(page_body(page.add(buffer)));
    if (const char* fault = meta_fault(*meta)) raise_corrupted(change->index, kMetaBlock, fault);
    ++meta->tree_version;
    meta->depth = 2;
    meta->root_list = change->root;
    meta->leaf_count += change->added - change->removed;
    ++(is_split ? meta->splits : meta->merges);
    meta->split_time += microseconds;
    seal(meta);
    page.finish();
    UnlockReleaseBuffer(buffer);
}

void take_out_of_root(const TreeChange& change, const TreeList& list) {
    change_root_entry(change.index, list_geometry(change.meta, 1), list, take_out, 0);
}

void note_retired(TreeChange* change) {
    const MetaPage meta = read_meta(change->index);
    const ListGeometry inner = list_geometry(meta, 1);
    const Tree tree = read_tree(change->index, meta);
    const uint64 xid = U64FromFullTransactionId(ReadNextFullTransactionId());
    for (uint32 i = 0; i < tree.count; ++i) {
        const TreeList& list = tree.lists[i];
        if (list.retired <= meta.tree_version && list.retired_xid == 0)
            change_root_entry(change->index, inner, list, set_retired_xid, xid);
    }
}

}  // namespace lookalike

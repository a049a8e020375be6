#include "am/upkeep/tree_lists.h"

#include <cstring>

#include "am/storage/stream.h"
#include "core/page/refine_slot.h"
#include "core/vector/distance.h"
#include "core/vector/signs.h"

namespace lookalike {
namespace {

// The root while it is read.
struct RootPages {
    Relation index;
    MetaPage meta;
    IndexShape shape;
    ListGeometry geometry;
    uint8_t* page;   // copy of the page that is being looked at
    uint8_t* codes;  // of one block
    uint8_t* slot;
    uint32 count;
    BlockNumber* lists;
    float* centroids;
};

// Bits of a centroid are its scan code.
void read_bits(RootPages* root, BlockNumber block, uint32 index, float* centroid) {
    const ListGeometry& geometry = root->geometry;
    const uint8_t* codes = codes_of_block(root->index, geometry, root->page, block,
                                          index / kBlockEntries, root->codes);
    if (codes == nullptr) raise_corrupted(root->index, block, "a centroid is missing");
    bits_to_signs(codes + size_t{index % kBlockEntries} * geometry.row_code_bytes, root->shape.dims,
                  centroid);
}

void read_floats(RootPages* root, BlockNumber block, uint32 index, float* centroid) {
    const StreamStretch stretch = slot_stretch(root->geometry, root->page, block, index);
    if (!copy_stretch(root->index, stretch, root->slot)) {
        raise_corrupted(root->index, block, "a centroid is missing");
    }
    read_slot_floats(root->slot, root->shape.code_dims, centroid);
}

void take_list(RootPages* root, BlockNumber block, uint32 index) {
    const ListPageView page(root->geometry, root->page);
    if (!is_in_tree(read_attributes(page, index), root->meta.tree_version)) return;
    if (root->count == root->meta.leaf_count) {
        raise_corrupted(root->index, block, "the root has more lists than the meta page says");
    }
    float* centroid = root->centroids + uint64{root->count} * root->shape.code_dims;
    root->lists[root->count++] = page.pointer(index).block();
    if (is_binary(root->meta.metric)) {
        read_bits(root, block, index, centroid);
    } else {
        read_floats(root, block, index, centroid);
    }
}

void walk_root(RootPages* root) {
    const BlockNumber list_id = root->meta.root_list;
    BlockNumber block = list_id;
    for (uint32 length = 1; block != kNoBlock; ++length) {
        CHECK_FOR_INTERRUPTS();
        check_chain(root->index, list_id, length);
        const BlockNumber next =
            copy_page_of_list(root->index, block, list_id, root->geometry, root->page);
        const ListPageView view(root->geometry, root->page);
        for (uint32 i = 0; i < view.entry_places(); ++i) {
            if (view.is_live(i)) take_list(root, block, i);
        }
        block = next;
    }
}

uint64 centroid_bytes(const LoadedIndex& loaded) {
    return sizeof(float) * uint64{loaded.meta.leaf_count} * loaded.shape.code_dims;
}

}  // namespace

uint64 tree_lists_bytes(const LoadedIndex& loaded) {
    return centroid_bytes(loaded) + sizeof(BlockNumber) * uint64{loaded.meta.leaf_count};
}

TreeLists read_tree_lists(Relation index, const LoadedIndex& loaded) {
    RootPages root{};
    root.index = index;
    root.meta = loaded.meta;
    root.shape = loaded.shape;
    root.geometry = loaded.geometry(1);
    root.page = static_cast<uint8_t*>(palloc(BLCKSZ));
    root.codes = static_cast<uint8_t*>(palloc(root.geometry.block_code_bytes + 1));
    root.slot = static_cast<uint8_t*>(palloc(root.geometry.slot_bytes + 1));
    root.centroids = static_cast<float*>(
        MemoryContextAllocHuge(CurrentMemoryContext, centroid_bytes(loaded) + 1));
    root.lists =
        static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * (loaded.meta.leaf_count + 1)));
    walk_root(&root);
    if (root.count != root.meta.leaf_count) {
        raise_corrupted(index, root.meta.root_list,
                        "the root has fewer lists than the meta page says");
    }
    pfree(root.page);
    pfree(root.codes);
    pfree(root.slot);
    return {.count = root.count, .lists = root.lists, .centroids = root.centroids};
}

double centroid_distance(const TreeLists& tree, uint32 code_dims, uint32 a, uint32 b) {
    const auto view = [&](uint32 list) {
        return DescriptorView{Kind::kReal, code_dims, tree.centroids + size_t{list} * code_dims};
    };
    return l2_squared_distance(view(a), view(b));
}

}  // namespace lookalike

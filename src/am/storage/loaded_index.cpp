#include "am/storage/loaded_index.h"

#include "core/page/meta_page.h"
#include "core/vector/half.h"
#include "pg/run_core.h"
#include "pg/type/descriptor.h"

namespace lookalike {
namespace {

// Enough for the indexes of one application's statements; a miss costs one read of the mean.
constexpr int kCachedIndexes = 16;
LoadedIndex cache[kCachedIndexes];
uint64_t use_counter = 0;

LoadedIndex* find_cached(RelationFile file) {
    LoadedIndex* oldest = &cache[0];
    for (LoadedIndex& entry : cache) {
        if (entry.file == file) return &entry;
        if (entry.last_use < oldest->last_use) oldest = &entry;
    }
    return oldest;
}

// palloc'd; null when the mean is zero.
float* read_mean(Relation index, const MetaPage& meta) {
    if (meta.mean_block == kNoBlock) return nullptr;
    auto* mean = static_cast<float*>(palloc(sizeof(float) * meta.dims));
    auto* to = reinterpret_cast<uint8_t*>(mean);
    size_t left = sizeof(float) * meta.dims;
    BlockNumber block = meta.mean_block;
    while (left > 0) {
        const Buffer buffer = lock_page(index, block, BUFFER_LOCK_SHARE);
        check_page(index, buffer, PageKind::kVector);
        const size_t part = Min(left, size_t{kBodyBytes});
        memcpy(to, page_body(buffer_bytes(buffer)), part);
        block = page_trailer(buffer_bytes(buffer))->next;
        UnlockReleaseBuffer(buffer);
        to += part;
        left -= part;
    }
    if (mean_checksum({mean, meta.dims}) != meta.mean_checksum) {
        raise_corrupted(index, meta.mean_block, "the mean is damaged");
    }
    return mean;
}

// Lists come and go, and the index is measured again, while its space stays.
void refresh(LoadedIndex* entry, const MetaPage& meta) {
    entry->meta = meta;
    if (!entry->knows_dims() || entry->shape.tree_version == meta.tree_version) return;
    entry->shape.depth = meta.depth;
    entry->shape.root_list = meta.root_list;
    entry->shape.leaf_count = meta.leaf_count;
    entry->shape.tree_version = meta.tree_version;
    entry->too_small = 0;
    run_core([&] { entry->root.reset(); });
}

LoadedIndex* load(Relation index) {
    const MetaPage meta = read_meta(index);
    LoadedIndex* entry = find_cached(relation_file(index));
    entry->last_use = ++use_counter;
    if (entry->file == relation_file(index) && entry->build_id == meta.build_id) {
        refresh(entry, meta);
        return entry;
    }
    entry->file = 0;
    run_core([&] {
        delete entry->space;
        entry->space = nullptr;
        entry->root.reset();
    });
    entry->too_small = 0;
    entry->meta = meta;
    if (meta.dims > 0) {
        entry->shape = index_shape(meta);
        if (!is_binary(meta.metric)) {
            const float* mean = read_mean(index, meta);
            run_core([&] {
                entry->space =
                    new IndexSpace(meta.metric, meta.dims, meta.rotation_seed,
                                   std::span<const float>(mean, mean == nullptr ? 0 : meta.dims));
            });
        }
    }
    static uint64_t load_count = 0;
    entry->file = relation_file(index);
    entry->build_id = meta.build_id;
    entry->load_number = ++load_count;
    return entry;
}

}  // namespace

bool peek_meta(Relation index, MetaPage* meta) {
    if (RelationGetNumberOfBlocks(index) == 0) return false;
    const Buffer buffer = ReadBuffer(index, kMetaBlock);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    memcpy(meta, page_body(buffer_bytes(buffer)), sizeof *meta);
    const bool is_ours = page_fault(buffer_bytes(buffer), PageKind::kMeta) == nullptr;
    UnlockReleaseBuffer(buffer);
    return is_ours && meta_fault(*meta) == nullptr;
}

const LoadedIndex* load_index(Relation index) {
    return load(index);
}

void keep_root(Relation index, const LoadedIndex* loaded) {
    LoadedIndex* entry = find_cached(loaded->file);
    if (entry->shape.depth == 1 || !entry->knows_dims() || entry->root != nullptr) return;
    // Copies that were not used for a while make room: their indexes may have been dropped.
    constexpr uint64_t kRecentUses = 64;
    size_t room = static_cast<size_t>(work_mem) * 1024;
    for (LoadedIndex& other : cache) {
        if (other.last_use + kRecentUses < use_counter) run_core([&] { other.root.reset(); });
        const size_t taken = other.root == nullptr ? 0 : other.root->pages.size();
        room -= Min(room, taken);
    }
    if (room <= entry->too_small) return;
    copy_root(index, entry->shape, room, &entry->root);
    entry->too_small = entry->root == nullptr ? room : 0;
}

const LoadedIndex* load_index_to_search(Relation index) {
    const LoadedIndex* loaded = load(index);
    keep_root(index, loaded);
    return loaded;
}

void forget_index(Relation index) {
    for (LoadedIndex& entry : cache) {
        if (entry.file == relation_file(index)) entry.build_id = 0;
    }
}

void check_metric_takes(Metric metric, Kind kind) {
    if (is_binary(metric) == (kind == Kind::kBit)) return;
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("the operator class does not take %s descriptors", kind_name(kind)),
             kind == Kind::kBit
                 ? errhint("Use descriptor_hamming_ops or descriptor_jaccard_ops.")
                 : errhint("Use descriptor_l2_ops, descriptor_ip_ops or descriptor_cosine_ops.")));
}

void check_value_fits(Relation index, const LoadedIndex& loaded, const DescriptorView& value,
                      const char* hint) {
    check_metric_takes(loaded.meta.metric, value.kind);
    if (value.dims == loaded.meta.dims) return;
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                    errmsg("expected %u dimensions, not %u", loaded.meta.dims, value.dims),
                    errdetail("Index \"%s\" holds descriptors of %u dimensions.",
                              RelationGetRelationName(index), loaded.meta.dims),
                    hint == nullptr ? 0 : errhint("%s", hint)));
}

const float* as_reals(const DescriptorView& value, float* scratch) {
    if (value.kind == Kind::kReal) return value.reals();
    for (uint32_t i = 0; i < value.dims; ++i)
        scratch[i] = half_to_float(value.halves()[i]);
    return scratch;
}

bool has_no_direction(const DescriptorView& value) {
    for (uint32_t i = 0; i < value.dims; ++i) {
        if (element_at(value, i) != 0) return false;
    }
    return true;
}

}  // namespace lookalike

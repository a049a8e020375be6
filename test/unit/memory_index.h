// An index whose pages lie in memory, written and read through the same core as those on disk. Each
// page is an allocation of its own, so that the address sanitizer sees a byte too far.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "core/code/entry_encoder.h"
#include "core/page/list_page_builder.h"
#include "core/page/list_summary.h"
#include "core/page/refine_slot.h"
#include "core/search/search.h"
#include "core/vector/distance.h"

namespace lookalike {

class PageStore {
  public:
    PageStore() { add_page(PageKind::kMeta, 0, kNoBlock); }

    uint8_t* page(uint32_t block) { return pages_.at(block).get(); }
    uint32_t page_count() const { return static_cast<uint32_t>(pages_.size()); }

    uint32_t add_page(PageKind kind, uint32_t list_id, uint32_t owner) {
        pages_.push_back(std::make_unique<uint8_t[]>(kPageBytes));
        init_page(pages_.back().get(), kind, list_id, owner);
        return page_count() - 1;
    }

    /// Copies `length` bytes of a stream from `offset` of the body of pages[0] on; each must be of
    /// this kind and belong to the list page.
    void copy_stream(PageKind kind, uint32_t list_page, std::span<const uint32_t> pages,
                     uint32_t offset, size_t length, uint8_t* to) {
        for (size_t i = 0; length > 0; ++i) {
            ASSERT_LT(i, pages.size()) << "a stream of list page " << list_page << " ends early";
            const uint8_t* from = page(pages[i]);
            ASSERT_EQ(page_fault(from, kind), nullptr) << "block " << pages[i];
            ASSERT_EQ(page_trailer(from)->owner, list_page);
            const size_t part = std::min<size_t>(length, kBodyBytes - offset);
            std::memcpy(to, page_body(from) + offset, part);
            to += part;
            length -= part;
            offset = 0;
        }
    }

  private:
    std::vector<std::unique_ptr<uint8_t[]>> pages_;
};

/// Writes lists as a build does, and entries one by one as INSERT does.
class StoredLists {
  public:
    StoredLists(PageStore& store, const ListGeometry& geometry, uint16_t level)
        : store_(store), geometry_(geometry), level_(level), builder_(geometry) {}

    const ListGeometry& geometry() const { return geometry_; }

    void begin() {
        first_block_ = kNoBlock;
        summary_.assign(geometry_.summary_bytes, 0);
    }
    void add(const EncodedEntry& entry) {
        if (!summary_.empty()) widen_summary(summary_.data(), entry);
        if (builder_.is_full()) flush();
        builder_.add(entry);
    }
    uint32_t finish() {
        flush();
        std::copy(summary_.begin(), summary_.end(),
                  mutable_summary(geometry_, store_.page(first_block_)));
        return first_block_;
    }

    /// To the first free place of the list, which grows by a page when it has none.
    void append(uint32_t list_id, const EncodedEntry& entry) {
        if (geometry_.summary_bytes > 0)
            widen_summary(mutable_summary(geometry_, store_.page(list_id)), entry);
        uint32_t block = list_id;
        while (!ListPageView(geometry_, store_.page(block)).free_index()) {
            uint32_t next = page_trailer(store_.page(block))->next;
            if (next == kNoBlock) {
                next = store_.add_page(PageKind::kList, list_id, kNoBlock);
                page_trailer(store_.page(block))->next = next;
            }
            block = next;
        }
        const uint32_t index = *ListPageView(geometry_, store_.page(block)).free_index();
        if (!geometry_.codes_inside) append_code(list_id, block, index, entry);
        if (geometry_.slot_bytes > 0) append_slot(list_id, block, index, entry);
        write_entry(geometry_, store_.page(block), index, entry);
    }

    /// What VACUUM does; false when the list has no such entry.
    bool remove(uint32_t list_id, EntryPointer pointer) {
        for (uint32_t block = list_id; block != kNoBlock;
             block = page_trailer(store_.page(block))->next) {
            const ListPageView view(geometry_, store_.page(block));
            for (uint32_t i = 0; i < view.entry_places(); ++i) {
                if (!view.is_live(i) || !(view.pointer(i) == pointer)) continue;
                clear_entry(geometry_, store_.page(block), i);
                return true;
            }
        }
        return false;
    }

  private:
    void flush() {
        const uint32_t block = store_.page_count();
        const uint32_t list_id = first_block_ == kNoBlock ? block : first_block_;
        store_.add_page(PageKind::kList, list_id, kNoBlock);
        builder_.fill_list_page(store_.page(block), block, level_);
        for (uint32_t i = 0; i < builder_.code_page_count(); ++i)
            builder_.fill_code_page(store_.page(store_.add_page(PageKind::kCode, list_id, block)),
                                    i);
        for (uint32_t i = 0; i < builder_.refine_page_count(); ++i)
            builder_.fill_refine_page(
                store_.page(store_.add_page(PageKind::kRefine, list_id, block)), i);
        if (first_block_ == kNoBlock) {
            first_block_ = block;
        } else {
            page_trailer(store_.page(last_block_))->next = block;
        }
        last_block_ = block;
        builder_.clear();
    }

    uint8_t* stream_page(PageKind kind, uint32_t list_id, uint32_t block, uint32_t position) {
        const ListPageView view(geometry_, store_.page(block));
        const bool is_code = kind == PageKind::kCode;
        const uint32_t linked =
            is_code ? view.code_pages()[position] : view.refine_pages()[position];
        if (linked != kNoBlock) return store_.page(linked);
        const uint32_t added = store_.add_page(kind, list_id, block);
        (is_code ? set_code_page : set_refine_page)(geometry_, store_.page(block), position, added);
        return store_.page(added);
    }

    void write_stream(PageKind kind, uint32_t list_id, uint32_t block, StreamPlace place,
                      std::span<const uint8_t> bytes) {
        for (size_t at = 0; at < bytes.size(); ++place.page_index, place.offset = 0) {
            const size_t part = std::min<size_t>(bytes.size() - at, kBodyBytes - place.offset);
            uint8_t* page = stream_page(kind, list_id, block, place.page_index);
            std::memcpy(page_body(page) + place.offset, &bytes[at], part);
            at += part;
        }
    }

    void append_code(uint32_t list_id, uint32_t block, uint32_t index, const EncodedEntry& entry) {
        const StreamPlace place = geometry_.code_place(index / kBlockEntries);
        std::vector<uint8_t> codes(geometry_.block_code_bytes);
        const ListPageView view(geometry_, store_.page(block));
        // An untouched block is written whole first, so that its pages exist.
        if (index / kBlockEntries >= view.header().block_count)
            write_stream(PageKind::kCode, list_id, block, place, codes);
        store_.copy_stream(
            PageKind::kCode, block,
            {view.code_pages() + place.page_index, geometry_.max_code_pages - place.page_index},
            place.offset, codes.size(), codes.data());
        write_code(geometry_, codes.data(), index, entry);
        write_stream(PageKind::kCode, list_id, block, place, codes);
    }

    void append_slot(uint32_t list_id, uint32_t block, uint32_t index, const EncodedEntry& entry) {
        std::vector<uint8_t> slot(geometry_.slot_bytes);
        write_slot(slot.data(), entry, geometry_.slot_bytes);
        write_stream(PageKind::kRefine, list_id, block, geometry_.slot_place(index), slot);
    }

    PageStore& store_;
    ListGeometry geometry_;
    uint16_t level_;
    ListPageBuilder builder_;
    std::vector<uint8_t> summary_;
    uint32_t first_block_ = kNoBlock;
    uint32_t last_block_ = kNoBlock;
};

/// Answers what a LevelScan asks for.
class PageFeeder {
  public:
    explicit PageFeeder(PageStore& store) : store_(store) {}

    void push_list(LevelScan& level, uint32_t list_id) {
        const ListGeometry& geometry = level.geometry();
        if (level.skip_list(store_.page(list_id))) return;
        codes_.resize(geometry.block_code_bytes);
        for (uint32_t block = list_id; block != kNoBlock;
             block = page_trailer(store_.page(block))->next) {
            const uint8_t* page = store_.page(block);
            ASSERT_EQ(list_page_fault(geometry, page), nullptr);
            ASSERT_EQ(page_trailer(page)->list_id, list_id);
            const ListPageView view(geometry, page);
            level.begin_page(page, block);
            for (uint32_t i = 0; i < view.header().block_count; ++i) {
                if (geometry.codes_inside) {
                    level.push_block(view, i, view.codes(i));
                    continue;
                }
                const StreamPlace place = geometry.code_place(i);
                store_.copy_stream(PageKind::kCode, block,
                                   {view.code_pages() + place.page_index,
                                    geometry.max_code_pages - place.page_index},
                                   place.offset, geometry.block_code_bytes, codes_.data());
                level.push_block(view, i, codes_.data());
            }
            if (level.can_stop()) break;
        }
        level.finish_list();
    }

    void push_entry(LevelScan& level, const EntryPlace& place) {
        const ListGeometry& geometry = level.geometry();
        const ListPageView view(geometry, store_.page(place.list_page));
        ASSERT_EQ(page_trailer(store_.page(place.list_page))->list_id, place.list_id);
        if (geometry.slot_bytes == 0) {
            view.is_live(place.index) ? level.push_pointer(view.pointer(place.index))
                                      : level.drop_entry();
            return;
        }
        std::vector<uint8_t> slot(geometry.slot_bytes);
        store_.copy_stream(PageKind::kRefine, place.list_page, place.slot_pages, place.slot_offset,
                           slot.size(), slot.data());
        if (testing::Test::HasFatalFailure()) return level.drop_entry();
        level.push_slot(slot.data());
    }

  private:
    PageStore& store_;
    std::vector<uint8_t> codes_;
};

/// A list is in the tree from version `born` on, until before `retired`.
struct Lifetime {
    uint32_t born = 0;
    uint32_t retired = kInTree;
};

/// What a test index is made of.
struct MemoryIndexOptions {
    Metric metric;
    uint32_t dims;
    Refine refine;
    uint32_t row_count;
    uint32_t list_count;        ///< 1: the root is a leaf
    uint32_t different = 0;     ///< if not 0, only so many rows differ: the others are copies
    bool copies_first = false;  ///< the others are copies of row 0, else of any
    /// At which versions each list is in the tree; empty: all are, always.
    std::vector<Lifetime> lifetimes = {};
};

/// An index of random rows, in lists by their nearest centroid. Row r has the pointer (r + 1, 1).
class MemoryIndex {
  public:
    explicit MemoryIndex(const MemoryIndexOptions& options, uint64_t seed = 1)
        : options_(options),
          random_(seed),
          code_dims_(is_binary(options.metric) ? options.dims
                                               : IndexSpace::padded_dims(options.dims)) {
        make_rows();
        if (!is_binary(options.metric)) make_space();
        leaf_ = std::make_unique<StoredLists>(store, geometry(0), 0);
        write_leaves();
        if (options.list_count > 1) write_root();
    }

    ListGeometry geometry(uint32_t level) const {
        return list_geometry(options_.metric, code_dims_, refine(), level);
    }
    Refine refine() const { return is_binary(options_.metric) ? Refine::kNone : options_.refine; }
    IndexShape shape() const {
        return {.metric = options_.metric,
                .dims = options_.dims,
                .code_dims = code_dims_,
                .refine = refine(),
                .depth = options_.list_count > 1 ? 2u : 1u,
                .root_list = root_,
                .leaf_count = options_.list_count,
                .tree_version = 0,
                .levels = {geometry(0), geometry(1)}};
    }
    uint32_t row_count() const { return static_cast<uint32_t>(list_of_row_.size()); }
    const std::vector<uint32_t>& lists() const { return lists_; }
    /// Which of them a row is in.
    uint32_t list_of_row(uint32_t row) const { return list_of_row_.at(row); }
    StoredLists& leaf() { return *leaf_; }

    static EntryPointer pointer_of(uint32_t row) { return entry_pointer(row + 1, 1); }
    static uint32_t row_of(EntryPointer pointer) { return pointer.block() - 1; }

    DescriptorView row(uint32_t row) const {
        const size_t at = row_data_.at(row) * row_stride();
        if (is_binary(options_.metric)) return {Kind::kBit, options_.dims, &bits_[at]};
        return {Kind::kReal, options_.dims, &reals_[at]};
    }

    /// What SQL says.
    double distance(uint32_t row_number, const DescriptorView& query) const {
        const DescriptorView value = row(row_number);
        switch (options_.metric) {
            case Metric::kL2:
                return l2_distance(value, query);
            case Metric::kInnerProduct:
                return -inner_product(value, query);
            case Metric::kCosine:
                return cosine_distance(value, query);
            case Metric::kHamming:
                return hamming_distance(value, query);
            case Metric::kJaccard:
                return jaccard_distance(value, query);
        }
        return 0;
    }

    std::unique_ptr<BlockScorer> scorer(const DescriptorView& query,
                                        double epsilon = kDefaultScanEpsilon) const {
        if (is_binary(options_.metric))
            return std::make_unique<BlockScorer>(options_.metric, options_.dims, query.bits());
        return std::make_unique<BlockScorer>(*space_, query.reals(), epsilon);
    }

    /// The terms of list number `list`, as its root entry gives them.
    ScanTerms terms(const BlockScorer& scorer, uint32_t list) const {
        return is_binary(options_.metric) ? ScanTerms{} : scorer.terms(centroid(list));
    }

    /// INSERT: one more row, a copy of row `like`, into the list that it is in.
    void insert_like(uint32_t like) {
        const auto row_number = row_count();
        row_data_.push_back(row_data_[like]);
        list_of_row_.push_back(list_of_row_[like]);
        with_entry(row_number, [&](const EncodedEntry& entry) {
            leaf_->append(lists_[list_of_row_[like]], entry);
        });
    }

    /// VACUUM of one row.
    bool remove(uint32_t row_number) {
        return leaf_->remove(lists_[list_of_row_[row_number]], pointer_of(row_number));
    }

    PageStore store;

  private:
    size_t row_stride() const {
        return is_binary(options_.metric) ? element_bytes(Kind::kBit, options_.dims)
                                          : options_.dims;
    }
    const float* centroid(uint32_t list) const { return &centroids_[size_t{list} * code_dims_]; }

    void make_rows() {
        const uint32_t different = options_.different > 0 ? options_.different : options_.row_count;
        std::normal_distribution<float> normal(0.2f);
        if (is_binary(options_.metric)) {
            bits_.resize(different * row_stride());
            for (uint8_t& byte : bits_)
                byte = static_cast<uint8_t>(random_());
            for (size_t end = row_stride(); end <= bits_.size(); end += row_stride())
                bits_[end - 1] &= static_cast<uint8_t>(0xff << (7 - (options_.dims + 7) % 8));
        } else {
            reals_.resize(different * row_stride());
            for (float& element : reals_)
                element = normal(random_);
        }
        for (uint32_t i = 0; i < options_.row_count; ++i)
            row_data_.push_back(i < different ? i
                                : options_.copies_first
                                    ? 0
                                    : static_cast<uint32_t>(random_() % different));
    }

    // Some rows are the centroids.
    void make_space() {
        const std::vector<float> mean(options_.dims, 0.2f);
        const bool is_cosine = options_.metric == Metric::kCosine;
        space_ = std::make_unique<IndexSpace>(
            options_.metric, options_.dims, 42,
            is_cosine ? std::span<const float>() : std::span<const float>(mean));
        centroids_.resize(size_t{options_.list_count} * code_dims_);
        for (uint32_t list = 0; list < options_.list_count && options_.list_count > 1; ++list)
            space_->to_space(row(list * 3 % row_count_at_first()).reals(),
                             &centroids_[size_t{list} * code_dims_]);
    }
    uint32_t row_count_at_first() const { return static_cast<uint32_t>(row_data_.size()); }

    uint32_t nearest(const float* vector) const {
        uint32_t best = 0;
        double least = INFINITY;
        for (uint32_t list = 0; list < options_.list_count; ++list) {
            const double distance = exact_l2_squared(vector, centroid(list), code_dims_);
            if (distance < least) best = list;
            least = std::min(least, distance);
        }
        return best;
    }

    EntryVector bits_vector(uint32_t row_number) const {
        return {nullptr, 0, row(row_number).bits()};
    }

    /// Encodes a row whose list is known.
    template <class Use>
    void with_entry(uint32_t row_number, Use use) {
        EntryEncoder encoder(shape(), space_.get(), 0);
        if (is_binary(options_.metric)) {
            return use(encoder.encode(bits_vector(row_number), nullptr, pointer_of(row_number)));
        }
        std::vector<float> vector(code_dims_);
        const double rounding = space_->to_space(row(row_number).reals(), vector.data());
        use(encoder.encode({vector.data(), rounding, nullptr}, centroid(list_of_row_[row_number]),
                           pointer_of(row_number)));
    }

    void write_leaves() {
        std::vector<float> vector(code_dims_);
        for (uint32_t i = 0; i < options_.row_count; ++i) {
            if (is_binary(options_.metric)) {
                list_of_row_.push_back(i * 7 % options_.list_count);
                continue;
            }
            space_->to_space(row(i).reals(), vector.data());
            list_of_row_.push_back(nearest(vector.data()));
        }
        for (uint32_t list = 0; list < options_.list_count; ++list) {
            leaf_->begin();
            for (uint32_t i = 0; i < options_.row_count; ++i)
                if (list_of_row_[i] == list)
                    with_entry(i, [&](const EncodedEntry& entry) { leaf_->add(entry); });
            lists_.push_back(leaf_->finish());
        }
        root_ = lists_[0];
    }

    void write_root() {
        StoredLists root(store, geometry(1), 1);
        EntryEncoder encoder(shape(), space_.get(), 1);
        const std::vector<float> zero(code_dims_);
        for (uint32_t list = 0; list < options_.list_count; ++list) {
            const EntryPointer pointer = entry_pointer(lists_[list], 1);
            const EntryVector vector = is_binary(options_.metric)
                                           ? bits_vector(list)
                                           : EntryVector{centroid(list), 0, nullptr};
            const Lifetime life =
                options_.lifetimes.empty() ? Lifetime{} : options_.lifetimes.at(list);
            const AttributeKeys keys = list_keys(life.born, life.retired);
            EncodedEntry entry = encoder.encode(vector, zero.data(), pointer);
            entry.attributes = &keys;
            root.add(entry);
        }
        root_ = root.finish();
    }

    MemoryIndexOptions options_;
    std::mt19937_64 random_;
    uint32_t code_dims_;
    std::vector<float> reals_;
    std::vector<uint8_t> bits_;
    std::vector<uint32_t> row_data_;  // which of the different rows each row is
    std::vector<uint32_t> list_of_row_;
    std::unique_ptr<IndexSpace> space_;
    std::vector<float> centroids_;
    std::unique_ptr<StoredLists> leaf_;
    std::vector<uint32_t> lists_;
    uint32_t root_ = kNoBlock;
};

/// A search over a MemoryIndex. `before_step` may change the index.
class MemorySearch {
  public:
    MemorySearch(MemoryIndex& index, const DescriptorView& query, const SearchOptions& options)
        : index_(index),
          query_(query),
          scorer_(index.scorer(query, index.refine() == Refine::kNone ? 0 : kDefaultScanEpsilon)),
          search_(index.shape(), *scorer_, options),
          feeder_(index.store) {}

    Search& search() { return search_; }
    std::function<void(const SearchStep&)> before_step;
    /// Rows that the snapshot does not see.
    std::function<bool(uint32_t)> is_hidden = [](uint32_t) { return false; };

    /// False: all have been given out.
    bool next(FoundEntry* found) {
        for (;;) {
            const SearchStep step = search_.next();
            if (before_step) before_step(step);
            switch (step.what) {
                case SearchStep::What::kReadList:
                    feeder_.push_list(*step.level, step.list_id);
                    break;
                case SearchStep::What::kReadEntry:
                    feeder_.push_entry(*step.level, step.place);
                    break;
                case SearchStep::What::kMeasure:
                    measure(step);
                    break;
                case SearchStep::What::kEmit:
                    *found = step.found;
                    return true;
                case SearchStep::What::kDone:
                    return false;
            }
            if (testing::Test::HasFatalFailure()) return false;
        }
    }

    std::vector<FoundEntry> all() {
        std::vector<FoundEntry> rows;
        for (FoundEntry found; next(&found);)
            rows.push_back(found);
        return rows;
    }

  private:
    void measure(const SearchStep& step) {
        const uint32_t row = MemoryIndex::row_of(step.found.pointer);
        is_hidden(row) ? step.level->drop_measured()
                       : step.level->push_distance(index_.distance(row, query_));
    }

    MemoryIndex& index_;
    DescriptorView query_;
    std::unique_ptr<BlockScorer> scorer_;
    Search search_;
    PageFeeder feeder_;
};

}  // namespace lookalike

#include "am/storage/nearest_list.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/page/refine_slot.h"
#include "core/search/candidate_window.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A block of the root and the bounds of its lists.
struct ScannedBlock {
    const uint8_t* page;
    uint32_t first_index;  // of its lists in the page
    uint32_t live;
    float bounds[kBlockEntries];
};

struct RankedList {
    float key;
    EntryPointer pointer;

    // As a search orders what it has found.
    bool comes_before(const RankedList& other) const {
        if (key != other.key) return key < other.key;
        return pointer.block() < other.pointer.block();
    }
};

class NearestListSearch {
  public:
    NearestListSearch(const RootCopy& root, const ListGeometry& geometry, const SpaceQuery& query,
                      double epsilon)
        : root_(root), geometry_(geometry), code_dims_(query.padded_dims), scan_(query, epsilon) {
        slot_.resize(geometry.slot_bytes);
        centroid_.resize(code_dims_);
    }

    /// Entries are looked at in the order of their bounds, until those are above the best key. So
    /// only those up to the key of the first one are put in order. False: the root has no lists.
    bool find() {
        scan_root();
        if (!first_) return false;
        look_at(*first_);
        std::vector<Candidate> candidates = others_up_to(best_.key);
        std::sort(candidates.begin(), candidates.end());
        for (const Candidate& candidate : candidates) {
            if (candidate.bound > best_.key) break;
            look_at(candidate);
        }
        return true;
    }

    BlockNumber list_id() const { return best_.pointer.block(); }
    const std::vector<float>& centroid() const { return best_centroid_; }

  private:
    void scan_root() {
        const std::vector<float> zero(code_dims_);
        const ScanTerms terms = scan_.terms(zero.data());
        blocks_.reserve(root_.pages.size() / BLCKSZ);
        for (BlockNumber number = RootCopy::kFirst; number != kNoBlock;) {
            const uint8_t* page = root_.page(number);
            const ListPageView view(geometry_, page);
            for (uint32_t block = 0; block < view.header().block_count; ++block)
                scan_one(view, page, block, terms);
            number = page_trailer(page)->next;
        }
    }

    void scan_one(const ListPageView& view, const uint8_t* page, uint32_t block,
                  const ScanTerms& terms) {
        const uint32_t live = view.live(block);
        if (live == 0) return;
        ScannedBlock& scanned = blocks_.emplace_back();
        scanned.page = page;
        scanned.first_index = block * uint32_t{kBlockEntries};
        scanned.live = live;
        const float least = first_ ? first_->bound : kInfinity;
        uint32_t low = live & scan_block(scan_.table(), view.codes(block), scan_.group_count(),
                                         view.columns(block), terms, least, scanned.bounds);
        for (; low != 0; low &= low - 1) {
            const auto lane = static_cast<uint32_t>(std::countr_zero(low));
            const Candidate candidate = candidate_of(blocks_.size() - 1, lane);
            if (!first_ || candidate < *first_) first_ = candidate;
        }
    }

    // What could not be computed must be looked at.
    Candidate candidate_of(size_t block, uint32_t lane) const {
        const float bound = blocks_[block].bounds[lane];
        return {std::isnan(bound) ? -kInfinity : bound, block * kBlockEntries + lane};
    }

    std::vector<Candidate> others_up_to(float key) const {
        std::vector<Candidate> candidates;
        for (size_t block = 0; block < blocks_.size(); ++block) {
            uint32_t low = blocks_[block].live & up_to(blocks_[block].bounds, key);
            for (; low != 0; low &= low - 1) {
                const Candidate candidate =
                    candidate_of(block, static_cast<uint32_t>(std::countr_zero(low)));
                if (candidate.id != first_->id) candidates.push_back(candidate);
            }
        }
        return candidates;
    }

    void look_at(const Candidate& candidate) {
        const ScannedBlock& block = blocks_[candidate.id / kBlockEntries];
        const uint32_t index =
            block.first_index + static_cast<uint32_t>(candidate.id % kBlockEntries);
        const ListPageView view(geometry_, block.page);
        const StreamPlace place = geometry_.slot_place(index);
        // The slots of a copy are known to be whole.
        copy_from_root(
            root_,
            {view.refine_pages() + place.page_index, geometry_.max_refine_pages - place.page_index},
            place.offset, geometry_.slot_bytes, slot_.data());
        read_slot_floats(slot_.data(), code_dims_, centroid_.data());
        const float key = scan_.terms(centroid_.data()).list_term;
        const RankedList list{std::isnan(key) ? -kInfinity : key, view.pointer(index)};
        if (!best_centroid_.empty() && !list.comes_before(best_)) return;
        best_ = list;
        best_centroid_.assign(centroid_.begin(), centroid_.end());
    }

    const RootCopy& root_;
    const ListGeometry& geometry_;
    uint32_t code_dims_;
    ScanQuery scan_;
    std::vector<ScannedBlock> blocks_;
    std::optional<Candidate> first_;  // that with the lowest bound
    RankedList best_{};
    std::vector<float> best_centroid_;  // empty: none was looked at
    std::vector<float> centroid_;
    std::vector<uint8_t> slot_;
};

}  // namespace

NearestList nearest_of_copy(Relation index, const LoadedIndex& loaded, const float* row,
                            double epsilon) {
    const uint32 dims = loaded.shape.code_dims;
    NearestList nearest{.list_id = kNoBlock,
                        .vector = static_cast<float*>(palloc(sizeof(float) * dims)),
                        .rounding = 0,
                        .centroid = static_cast<float*>(palloc(sizeof(float) * dims))};
    run_core([&] {
        const SpaceQuery query = loaded.space->query(row);
        std::copy_n(query.vector.get(), dims, nearest.vector);
        nearest.rounding = query.rounding;
        NearestListSearch search(*loaded.root, loaded.shape.levels[1], query, epsilon);
        if (!search.find()) return;
        nearest.list_id = search.list_id();
        std::copy_n(search.centroid().data(), dims, nearest.centroid);
    });
    if (nearest.list_id == kNoBlock)
        raise_corrupted(index, loaded.meta.root_list, "the root has no lists");
    return nearest;
}

}  // namespace lookalike
